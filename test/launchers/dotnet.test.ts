import { describe, expect, it } from 'vitest';
import { createDotnetLauncher } from '../../launchers/dotnet.ts';
import { createFileView } from '../support/file-view.ts';
import { line, planOf, refusalOf, rungs, starts, toolOf } from './plan-of.ts';

type Files = Readonly<Record<string, string>>;

const MCP = '<PackageReference Include="ModelContextProtocol" Version="1.0.0" />';
const WEB = '<PackageReference Include="ModelContextProtocol.AspNetCore" />';
const PROGRAM = 'builder.Services.AddMcpServer().WithStdioServerTransport().WithToolsFromAssembly();';
const PAGES = 'builder.Services.AddMcpServer().WithHttpTransport();\napp.MapMcp("/api/mcp");\n';

const csproj = ({
  sdk = 'Microsoft.NET.Sdk',
  properties = '',
  items = MCP,
  framework = 'net8.0',
  output = 'Exe',
} = {}): string =>
  `<Project Sdk="${sdk}"><PropertyGroup>${output === '' ? '' : `<OutputType>${output}</OutputType>`}${framework === '' ? '' : `<TargetFramework>${framework}</TargetFramework>`}${properties}</PropertyGroup><ItemGroup>${items}</ItemGroup></Project>`;

const SERVER: Files = { 'Weather.csproj': csproj(), 'Program.cs': PROGRAM };
const publish = (files: Files): string => {
  const [command] = planOf(files).install[0]?.steps ?? [];
  return command === undefined ? '' : line({ command });
};

describe('a .NET project', () => {
  it('is published as a plain program and started by its assembly, never by `dotnet run`', () => {
    const plan = planOf(SERVER);
    expect(publish(SERVER)).toMatch(
      /^dotnet publish Weather\.csproj -c Release -o \.mcp-supervisor\/publish --nologo /,
    );
    expect(publish(SERVER)).toContain('-p:PublishAot=false');
    expect(starts(plan)).toEqual(['dotnet .mcp-supervisor/publish/Weather.dll']);
    expect(plan).toMatchObject({ confidence: 'high', transport: 'auto' });
    expect(plan.env).toMatchObject({
      DOTNET_NOLOGO: '1',
      DOTNET_CLI_TELEMETRY_OPTOUT: '1',
      DOTNET_ROLL_FORWARD: 'Major',
    });
    expect(toolOf(plan, 'dotnet')).toEqual({ name: 'dotnet', version: '>=8.0' });
  });

  it.each<[string, Files, string]>([
    [
      'AssemblyName (trap 29)',
      { 'Weather.csproj': csproj({ properties: '<AssemblyName>acme-weather</AssemblyName>' }) },
      'acme-weather',
    ],
    [
      'the last AssemblyName',
      { 'Weather.csproj': csproj({ properties: '<AssemblyName>a</AssemblyName><AssemblyName>b</AssemblyName>' }) },
      'b',
    ],
    [
      'Directory.Build.props',
      {
        'Weather.csproj': csproj(),
        'Directory.Build.props':
          '<Project><PropertyGroup><AssemblyName>acme.$(MSBuildProjectName)</AssemblyName></PropertyGroup></Project>',
      },
      'acme.Weather',
    ],
    ['its file', { 'My.Weather.Server.csproj': csproj() }, 'My.Weather.Server'],
    ['its file, in F#', { 'Weather.fsproj': csproj() }, 'Weather'],
  ])('is called as %s says', (_, files, name) => {
    expect(starts(planOf({ ...files, 'Program.cs': PROGRAM }))).toEqual([`dotnet .mcp-supervisor/publish/${name}.dll`]);
  });

  it('is found under its real name once it is published', () => {
    const launcher = createDotnetLauncher();
    const plan = planOf(SERVER);
    const built = {
      ...SERVER,
      '.mcp-supervisor/publish/acme.dll': '',
      '.mcp-supervisor/publish/acme.runtimeconfig.json': '',
    };
    expect(starts(launcher.resolve(createFileView(built), plan))).toEqual(['dotnet .mcp-supervisor/publish/acme.dll']);
  });

  it.each<[string, string, Files, string | null]>([
    ['its framework', csproj({ framework: 'net9.0' }), {}, '>=9.0'],
    [
      'the newest of several',
      csproj({ framework: '', properties: '<TargetFrameworks>net8.0;net10.0;netstandard2.0</TargetFrameworks>' }),
      {},
      '>=10.0',
    ],
    [
      'Directory.Build.props',
      csproj({ framework: '' }),
      {
        'Directory.Build.props':
          '<Project><PropertyGroup><TargetFramework>net9.0</TargetFramework></PropertyGroup></Project>',
      },
      '>=9.0',
    ],
    ['nobody', csproj({ framework: '' }), {}, null],
  ])('wants the SDK of %s', (_, project, more, version) => {
    expect(toolOf(planOf({ 'Weather.csproj': project, 'Program.cs': PROGRAM, ...more }), 'dotnet')?.version).toBe(
      version,
    );
  });

  it('of several frameworks is built for the newest that runs here', () => {
    const properties = '<TargetFrameworks>net8.0;net9.0-windows;net9.0</TargetFrameworks>';
    expect(publish({ 'Weather.csproj': csproj({ framework: '', properties }), 'Program.cs': PROGRAM })).toContain(
      ' -f net9.0 ',
    );
  });

  it('for Windows alone is told apart', () => {
    expect(
      refusalOf({ 'Weather.csproj': csproj({ framework: 'net8.0-windows' }), 'Program.cs': PROGRAM }),
    ).toMatchObject({
      code: 'DETECT_UNSUPPORTED',
      message: 'Weather.csproj is made for net8.0-windows, which runs on Windows only.',
    });
  });

  it('is built with any SDK where its global.json names one that is not here', () => {
    expect(rungs(planOf({ ...SERVER, 'global.json': '{"sdk":{"version":"8.0.100"}}' }))).toEqual([
      'dotnet-publish',
      'without-lock',
      'any-sdk',
    ]);
  });

  it('over HTTP is told its address at once, and where it serves', () => {
    const plan = planOf({
      'Weather.csproj': csproj({ sdk: 'Microsoft.NET.Sdk.Web', output: '', items: WEB }),
      'Program.cs': PAGES,
    });
    expect(plan.start[0]?.command.env).toEqual({ ASPNETCORE_URLS: 'http://{host}:{port}' });
    expect(plan.port.env).toContain('ASPNETCORE_URLS');
    expect(plan.endpoint).toBe('/api/mcp');
  });

  it('that can do both is not given a port', () => {
    const files = { 'Weather.csproj': csproj({ items: WEB }), 'Program.cs': PROGRAM + PAGES };
    expect(planOf(files).start[0]?.command.env).toBeUndefined();
  });

  it('wants the variables that it reads, and those of the registry entry that NuGet packs', () => {
    const entry = {
      packages: [
        {
          registryType: 'nuget',
          identifier: 'Acme.Weather',
          environmentVariables: [{ name: 'ACME_KEY', isRequired: true, isSecret: true }],
        },
      ],
    };
    const { wants } = planOf({
      ...SERVER,
      'Program.cs': `${PROGRAM} Environment.GetEnvironmentVariable("ACME_URL")`,
      '.mcp/server.json': JSON.stringify(entry),
    });
    expect(wants.map(({ name, required }) => `${name}${required ? '!' : ''}`)).toEqual(['ACME_KEY!', 'ACME_URL']);
  });

  it('that is a library is no server', () => {
    expect(refusalOf({ 'Weather.csproj': csproj({ output: '' }) })).toMatchObject({
      code: 'DETECT_NOT_A_SERVER',
      evidence: expect.arrayContaining([{ file: 'Weather.csproj', says: 'makes a library' }]),
    });
  });

  it('that is no XML is refused with the line', () => {
    expect(refusalOf({ 'Weather.csproj': '<Project>\n<PropertyGroup>\n</Project>' }).message).toBe(
      'Weather.csproj:3: is not valid XML: </Project> closes <PropertyGroup>',
    );
  });
});

describe('a solution', () => {
  const SLN = [
    'src\\Server\\Acme.Server.csproj',
    'src\\Core\\Acme.Core.csproj',
    'tests\\Acme.Tests\\Acme.Tests.csproj',
    'src\\Client\\Acme.Client.csproj',
  ]
    .map((path, index) => `Project("{FAE04EC0}") = "P${index}", "${path}", "{${index}}"\nEndProject`)
    .join('\n');
  const files: Files = {
    'Acme.sln': SLN,
    'src/Server/Acme.Server.csproj': csproj(),
    'src/Server/Program.cs': PROGRAM,
    'src/Core/Acme.Core.csproj': csproj({ output: '' }),
    'src/Client/Acme.Client.csproj': csproj(),
    'src/Client/Program.cs': 'await McpClientFactory.CreateAsync(transport);',
    'tests/Acme.Tests/Acme.Tests.csproj': csproj({ items: '<PackageReference Include="xunit" />' }),
  };

  it('is that of its one server; the others are passed over', () => {
    const plan = planOf(files);
    expect(plan.projectDir).toBe('src/Server');
    expect(plan.passedOver.map(({ what, why }) => `${what} ${why}`)).toEqual([
      'Acme.Core is a library',
      'Acme.Tests holds tests',
      'Acme.Client is less likely the server',
    ]);
  });

  it('is read in its newer form too', () => {
    const { 'Acme.sln': _, ...rest } = files;
    const slnx = '<Solution><Folder Name="/src/"><Project Path="src/Server/Acme.Server.csproj" /></Folder></Solution>';
    expect(planOf({ ...rest, 'Acme.slnx': slnx }).projectDir).toBe('src/Server');
  });

  it('of several servers takes the one that is published as such', () => {
    const marked = csproj({ properties: '<PackAsTool>true</PackAsTool><PackageType>McpServer</PackageType>' });
    expect(
      planOf({ ...files, 'src/Client/Acme.Client.csproj': marked, 'src/Client/Program.cs': PROGRAM }).projectDir,
    ).toBe('src/Client');
  });

  it('of several equals lists them', () => {
    const two: Files = {
      'Acme.slnx': '<Solution><Project Path="a/A.csproj" /><Project Path="b/B.csproj" /></Solution>',
      'a/A.csproj': csproj(),
      'a/Program.cs': PROGRAM,
      'b/B.csproj': csproj(),
      'b/Program.cs': PROGRAM,
    };
    expect(refusalOf(two)).toMatchObject({ code: 'DETECT_AMBIGUOUS', choices: ['a', 'b'] });
  });

  it('is not that of a host that starts the others', () => {
    const host = csproj({ items: '<PackageReference Include="Aspire.Hosting.AppHost" />' });
    expect(planOf({ ...files, 'src/Core/Acme.Core.csproj': host }).projectDir).toBe('src/Server');
  });
});

it('a file that names its packages is a program of .NET 10', () => {
  const plan = planOf({ 'weather.cs': '#:package ModelContextProtocol@1.0.0\nConsole.Error.WriteLine();\n' });
  expect(starts(plan)).toEqual(['dotnet .mcp-supervisor/publish/weather.dll']);
  expect(toolOf(plan, 'dotnet')?.version).toBe('>=10.0');
});
