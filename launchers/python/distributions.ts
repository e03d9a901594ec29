/** Which distribution has a module, as far as it is common knowledge. */

import { normalName } from './names.ts';

/** Modules whose distribution is called otherwise. */
const CALLED: Readonly<Record<string, string>> = {
  attr: 'attrs',
  bs4: 'beautifulsoup4',
  cv2: 'opencv-python-headless',
  Crypto: 'pycryptodome',
  dateutil: 'python-dateutil',
  discord: 'discord.py',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  fitz: 'pymupdf',
  git: 'gitpython',
  github: 'pygithub',
  googleapiclient: 'google-api-python-client',
  jose: 'python-jose',
  jwt: 'pyjwt',
  magic: 'python-magic',
  multipart: 'python-multipart',
  mysql: 'mysql-connector-python',
  OpenSSL: 'pyopenssl',
  PIL: 'pillow',
  pptx: 'python-pptx',
  psycopg2: 'psycopg2-binary',
  serial: 'pyserial',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  slugify: 'python-slugify',
  tavily: 'tavily-python',
  telegram: 'python-telegram-bot',
  websocket: 'websocket-client',
  wikipediaapi: 'wikipedia-api',
  yaml: 'pyyaml',
  zmq: 'pyzmq',
};

/**
 * Distributions that are known to everyone by the name of their module. Others are never guessed: a name that somebody
 * else has registered would be run.
 */
const SAME = new Set(
  `aiofiles aiohttp aiosqlite anthropic anyio arxiv asyncpg boto3 botocore cachetools click cryptography docker duckdb
  fastapi fastapi_mcp fastmcp feedparser flask google_auth_oauthlib graphql gql html2text httpx jinja2 jsonschema
  langchain loguru lxml markdown markdownify matplotlib mcp motor networkx numpy openai openpyxl orjson pandas paramiko
  pdfplumber pexpect playwright plotly polars psutil psycopg pyarrow pydantic pydantic_settings pymongo pymysql pypdf
  PyPDF2 pytz redis requests rich scipy seaborn selenium slack_sdk sqlalchemy sse_starlette starlette structlog sympy
  tabulate tenacity tiktoken toml tomli tqdm trafilatura typer typing_extensions tzlocal uvicorn watchdog websockets
  wikipedia xmltodict yfinance youtube_transcript_api`.split(/\s+/),
);

/** The distribution (normalised) that a top-level module comes with; null when that is not common knowledge. */
export function distributionOf(module: string): string | null {
  const called = CALLED[module];
  if (called !== undefined) return called;
  return SAME.has(module) ? normalName(module) : null;
}

/** True when a distribution of that name is likely to have the module: `google-auth` has `google`, `scikit_x` has `scikit_x`. */
export function mayProvide(distribution: string, module: string): boolean {
  const plain = normalName(module);
  return (
    distribution === distributionOf(module) ||
    distribution === plain ||
    distribution === `python-${plain}` ||
    distribution === `py${plain}` ||
    distribution === `${plain}-python` ||
    distribution.startsWith(`${plain}-`)
  );
}
