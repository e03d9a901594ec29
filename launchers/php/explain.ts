/** What Composer and PHP print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

const EXTENSION = 'Install it with the system’s package manager (`sudo apt install php-$1`).';

export const PHP_PATTERNS: readonly Pattern[] = [
  {
    kind: 'missing-library',
    pattern:
      /requires? (?:PHP extension )?ext-([\w-]+) \*?[^\n]*(?:it is missing from your system|is not present|missing)/i,
    says: 'The PHP extension $1 is not installed',
    hint: EXTENSION,
  },
  {
    kind: 'engine-mismatch',
    pattern:
      /requires php [^\n]* but your php version|your php version \([^)]*\) does not satisfy|dependencies require a PHP version "[^"]*"/,
    says: 'It is made for another version of PHP',
    hint: 'Install the PHP version that the plugin wants.',
  },
  {
    kind: 'network',
    pattern:
      /curl error \d+ while downloading https?:\/\/([^/\s]+)|"https?:\/\/([^/"]+)[^"]*" file could not be downloaded|Could not resolve host: ([\w.-]+)/,
    says: 'The host $1, where packages come from, could not be reached',
    hint: 'Check the network, and Composer’s settings for mirrors and proxies, then try again.',
  },
  {
    kind: 'lock-out-of-date',
    pattern:
      /lock file does not contain a compatible set of packages|Required package "[^"]+" is not present in the lock file|lock file is not up to date[^\n]*\n(?![\s\S]*Package operations)/,
    says: 'The lock file does not match composer.json',
  },
  {
    kind: 'version-not-found',
    pattern:
      /could not be found in any version|(?:Could not find|found) (?:a version of )?package "?([\w./-]+)|Root composer\.json requires ([\w./-]+)[^\n]*(?:could not be found|it does not match|found [^\n]* but)|requirements could not be resolved/,
    says: 'The registry does not have a version that it wants',
  },
  {
    kind: 'install-script-failed',
    pattern: /Script ([^\n]+?) (?:handling the [\w-]+ event )?(?:returned with error code|was terminated)/,
    says: 'A script that the install runs failed',
  },
  {
    kind: 'missing-library',
    pattern:
      /Call to undefined function (?:\w+\\)*((?:curl|mb|pcntl|posix|sodium|simplexml|xml|dom|iconv|intl|gmp|bc|imagick?|image|openssl|readline|socket|sqlite|mysqli|pg|ldap|zip|ftp|yaml|gd|grapheme)_?)\w*/,
    says: 'PHP lacks the extension of $1',
    hint: 'Install the extension with the system’s package manager (`sudo apt install php-mbstring php-curl php-xml php-sqlite3` are the usual ones).',
  },
  {
    kind: 'missing-library',
    pattern:
      /PDOException: could not find driver|Class "\\?((?:PDO|SQLite3|DOMDocument|SimpleXMLElement|ZipArchive|Redis|Imagick|IntlDateFormatter|NumberFormatter|Collator|XMLReader|XMLWriter|SoapClient|GMP))" not found/,
    says: 'PHP lacks the extension of $1',
    hint: 'Install the extension with the system’s package manager (`sudo apt install php-sqlite3 php-mysql php-xml php-intl php-zip` are the usual ones).',
  },
  {
    kind: 'missing-module',
    pattern: /Failed opening required '([^']+)'|require(?:_once)?\(([^)]*vendor\/autoload\.php)\): [Ff]ailed to open/,
    says: 'The file $1 is missing: dependencies are not installed where it looks for them',
  },
  { kind: 'entry-missing', pattern: /Could not open input file: (\S+)/, says: 'The file $1 is not there' },
  {
    kind: 'missing-setting',
    pattern: /Undefined (?:array key|index:?) "?([A-Z][A-Z0-9_]{2,})"?[\s\S]*(?:Fatal|Uncaught)/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'missing-module',
    pattern: /(?:Class|Interface|Trait|Enum) "([^"]+)" not found/,
    says: 'The class $1 is missing: a dependency of another version, or one that is not declared',
  },
  {
    kind: 'incompatible-dependency',
    pattern:
      /Call to undefined method ([\w\\:]+)|Unknown named parameter|must be compatible with|Too few arguments to function|contains \d+ abstract methods?|There are no commands defined in the "([\w:]+)" namespace|Command "([\w:]+)" is not defined/,
    says: 'A dependency is of a version that it was not written for',
  },
  {
    kind: 'unknown',
    pattern: /Parse error: .+/,
    says: 'Its own code is broken, or is written for another version of PHP',
  },
];

export const explainPhp = (output: string, exit: ExitLike): Cause => explainWith(PHP_PATTERNS, output, exit);
