import { builtIn } from '../../launchers/table.ts';
import { describeLauncher, type Sample } from './conformance.ts';
import { json, SDK } from './plan-of.ts';

const SAMPLES: Readonly<Record<string, readonly Sample[]>> = {
  go: [
    {
      name: 'a module with its program below cmd',
      files: {
        'go.mod':
          'module github.com/acme/weather\n\ngo 1.25.0\n\nrequire github.com/modelcontextprotocol/go-sdk v1.7.0\n',
        'go.sum': '',
        'cmd/weather/main.go':
          'package main\n\nimport "github.com/modelcontextprotocol/go-sdk/mcp"\n\nfunc main() {}\n',
      },
      installed: { '.mcp-supervisor/bin/weather': '' },
    },
    { name: 'a bare file', files: { 'main.go': 'package main\n\nfunc main() {}\n' } },
  ],
  rust: [
    {
      name: 'a member of a workspace',
      files: {
        'Cargo.toml': '[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\nrmcp = "1"\n',
        'Cargo.lock': '',
        'crates/weather/Cargo.toml': '[package]\nname = "weather"\n[dependencies]\nrmcp.workspace = true\n',
        'crates/weather/src/main.rs': 'fn main() {}',
      },
      installed: { 'crates/weather/target/release/weather': '' },
    },
    {
      name: 'a program that is built for a named target',
      files: { 'Cargo.toml': '[package]\nname = "weather"\n[dependencies]\nrmcp = "1"\n', 'src/main.rs': '' },
      installed: { 'target/x86_64-unknown-linux-musl/release/weather': '' },
    },
  ],
  java: [
    {
      name: 'a Maven project without a fat jar',
      files: {
        'pom.xml':
          '<project><artifactId>weather</artifactId><version>1</version><dependencies><dependency><groupId>io.modelcontextprotocol.sdk</groupId><artifactId>mcp</artifactId></dependency></dependencies></project>',
        'src/main/java/com/acme/Main.java':
          'package com.acme;\nclass Main { public static void main(String[] a) {} }\n',
      },
      installed: {
        'target/classes/com/acme/Main.class': '',
        'target/mcp-supervisor/mcp.jar': '',
        'target/weather-1.jar': '',
      },
    },
    {
      name: 'a member of a Gradle build',
      dir: 'app',
      files: {
        'settings.gradle.kts': 'rootProject.name = "weather"\ninclude("app")\n',
        'gradle/wrapper/gradle-wrapper.jar': '',
        'gradle/wrapper/gradle-wrapper.properties': 'distributionUrl=gradle-8.14-bin.zip',
        'app/build.gradle.kts':
          'plugins { application }\ndependencies { implementation("io.modelcontextprotocol:kotlin-sdk:0.8.0") }\napplication { mainClass = "a.MainKt" }\n',
      },
      installed: { 'app/build/install/weather-app/bin/weather-app': '' },
    },
  ],
  dotnet: [
    {
      name: 'a solution',
      files: {
        'Acme.slnx': '<Solution><Project Path="src/Server/Server.csproj" /></Solution>',
        'src/Server/Server.csproj':
          '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net8.0</TargetFramework></PropertyGroup><ItemGroup><PackageReference Include="ModelContextProtocol" /></ItemGroup></Project>',
        'src/Server/Program.cs': 'services.AddMcpServer().WithStdioServerTransport();',
      },
      installed: {
        'src/Server/.mcp-supervisor/publish/acme.dll': '',
        'src/Server/.mcp-supervisor/publish/acme.runtimeconfig.json': '',
      },
    },
  ],
  node: [
    {
      name: 'a TypeScript package with a lock',
      files: {
        'package.json': json({ name: 'weather', bin: './dist/index.js', scripts: { build: 'tsc' }, dependencies: SDK }),
        'package-lock.json': '{}',
        'src/index.ts': 'new McpServer({})',
      },
      installed: { 'dist/src/index.js': '' },
    },
    {
      name: 'a member of a pnpm workspace',
      dir: 'packages/weather',
      files: {
        'pnpm-workspace.yaml': 'packages: ["packages/*"]',
        'pnpm-lock.yaml': "lockfileVersion: '9.0'",
        'package.json': json({ name: 'root', private: true }),
        'packages/weather/package.json': json({
          name: '@acme/weather',
          bin: { weather: 'dist/cli.js' },
          scripts: { build: 'tsc' },
          dependencies: SDK,
        }),
      },
    },
    { name: 'a bare file', files: { 'server.js': 'http.createServer(() => {}).listen(0)' } },
  ],
  python: [
    {
      name: 'a uv project',
      files: {
        'pyproject.toml':
          '[project]\nname = "mcp-weather"\ndependencies = ["mcp"]\n[project.scripts]\nmcp-weather = "mcp_weather:main"\n[build-system]\nrequires = ["hatchling"]\n',
        'uv.lock': 'version = 1',
        'src/mcp_weather/__init__.py': '',
      },
      installed: {
        '.venv/bin/mcp-weather': '',
        '.venv/lib/python3.11/site-packages/mcp_weather-0.1.0.dist-info/entry_points.txt':
          '[console_scripts]\nmcp-weather = mcp_weather:main\n',
      },
    },
    {
      name: 'a bare file',
      files: { 'server.py': 'from mcp.server.fastmcp import FastMCP\nmcp = FastMCP("x")\nmcp.run()\n' },
    },
    {
      name: 'a project of Pipenv’s',
      files: {
        Pipfile: '[packages]\nmcp = "*"\n',
        'Pipfile.lock': json({ default: { mcp: { version: '==2.3.0', markers: "python_version >= '3.10'" } } }),
        'app/__init__.py': '',
        'app/server.py': 'from mcp.server import MCPServer\nfrom . import tools\nmcp = MCPServer("x")\n',
      },
    },
    {
      name: 'a project of Poetry’s',
      files: {
        'pyproject.toml':
          '[tool.poetry]\nname = "w"\n[tool.poetry.dependencies]\nmcp = "^2"\n[tool.poetry.scripts]\nw = "w:main"\n[build-system]\nrequires = ["poetry-core"]\n',
        'poetry.lock': '[[package]]\nname = "mcp"\nversion = "2.3.0"\ngroups = ["main"]\n',
        'w/__init__.py': 'import logging\nlogging.FileHandler("logs/x.log")\n',
      },
    },
    {
      name: 'what fastmcp.json names',
      files: {
        'fastmcp.json': json({ source: { path: 'weather.py', entrypoint: 'weather' } }),
        'weather.py':
          '# /// script\n# dependencies = ["fastmcp"]\n# ///\nfrom fastmcp import FastMCP\nweather = FastMCP("x")\n',
      },
    },
  ],
  deno: [
    {
      name: 'a task with a lock',
      files: {
        'deno.json': json({
          imports: { '@modelcontextprotocol/sdk': 'npm:@modelcontextprotocol/sdk@^1' },
          tasks: { start: 'deno run --allow-net src/main.ts' },
        }),
        'deno.lock': '{}',
        'src/main.ts': 'await new McpServer({}).connect(transport);',
      },
    },
    { name: 'a bare file', files: { 'main.ts': 'import "npm:zod";\nDeno.serve(() => new Response());\n' } },
  ],
  ruby: [
    {
      name: 'a gem with a lock',
      files: {
        Gemfile: 'gemspec\n',
        'Gemfile.lock': '',
        'weather.gemspec':
          'Gem::Specification.new do |spec|\n  spec.name = "weather"\n  spec.bindir = "exe"\n  spec.executables = ["weather"]\n  spec.add_dependency "mcp"\nend\n',
        'exe/weather': '#!/usr/bin/env ruby\nrequire "weather"\n',
      },
    },
    { name: 'a rack application', files: { Gemfile: 'gem "fast-mcp"\ngem "puma"\n', 'config.ru': 'run App' } },
    { name: 'a bare file', files: { 'server.rb': 'require "mcp"\nMCP::Server.new(name: "x").run\n' } },
  ],
  php: [
    {
      name: 'a package with a lock',
      files: {
        'composer.json': json({ name: 'acme/weather', require: { 'mcp/sdk': '^0.3' }, bin: 'bin/weather' }),
        'composer.lock': '{}',
        'bin/weather': '#!/usr/bin/env php\n<?php\n',
      },
    },
    {
      name: 'a page',
      files: {
        'composer.json': json({ require: { 'mcp/sdk': '^0.3' } }),
        'public/index.php': '<?php\n$t = new StreamableHttpTransport($creator->fromGlobals());\n',
      },
    },
    { name: 'a bare file', files: { 'server.php': '<?php\n$server->listen(new StdioServerTransport());\n' } },
  ],
  manifest: [
    { name: 'a command', files: { 'mcp-supervisor.yaml': 'command: ./server --fast\nport: {arg: --port}\n' } },
    {
      name: 'a runtime with a build',
      files: {
        '.quore/plugin.yaml': 'runtime: node\nentry: dist/server.js\n',
        'package.json': json({ name: 'weather', scripts: { build: 'tsc' }, dependencies: SDK }),
      },
    },
  ],
  binary: [
    {
      name: 'a shell script',
      files: { 'weather.sh': '#!/bin/sh\nwhile read -r line; do case "$method" in "tools/list") list ;; esac; done\n' },
    },
  ],
  docker: [
    {
      name: 'an image',
      files: { Dockerfile: 'FROM scratch\nEXPOSE 8080\nENTRYPOINT ["/server"]\n' },
      installed: { '.mcp-supervisor-image': `sha256:${'a'.repeat(64)}` },
    },
  ],
};

for (const launcher of builtIn) describeLauncher(launcher, SAMPLES[launcher.id] ?? []);
