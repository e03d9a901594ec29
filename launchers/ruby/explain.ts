/** What Bundler, RubyGems and Ruby print when they fail. */

import { type ExitLike, explainWith, type Pattern } from '../explain.ts';
import type { Cause } from '../plan.ts';

export const RUBY_PATTERNS: readonly Pattern[] = [
  {
    kind: 'lock-out-of-date',
    pattern:
      /dependencies in your gemfile changed|frozen mode|in deployment mode after changing|Your bundle only supports platforms|lockfile (?:was|is) (?:unable|corrupt|missing)|Unable to (?:use|parse) the (?:lockfile|platform)|gemspecs? for (?:path|git) gems changed|Your lockfile (?:contains|does not)/i,
    says: 'The lock file does not match the Gemfile',
  },
  {
    kind: 'engine-mismatch',
    pattern:
      /Your Ruby version is [^\n]*|conflicting requirements for the Ruby|requires (?:ruby|rubygems) version|depends on\s+Ruby\s+\(|which depends on Ruby|because (?:every|all) versions? of [^\n]* depends? on Ruby/i,
    says: 'It is made for another version of Ruby',
    hint: 'Install the Ruby version that the plugin wants.',
  },
  {
    kind: 'network',
    pattern:
      /Could not reach host (\S+?)\.\s|[Cc]ould not fetch specs from (\S+)|Could not find a valid gem '[^']+'[^\n]*, here is why:\s+Unable to download data from (\S+)/,
    says: 'The gem registry $1 could not be reached',
    hint: 'Check the network, and Bundler’s mirror settings, then try again.',
  },
  {
    kind: 'network',
    pattern:
      /Gem::RemoteFetcher::FetchError|Bundler::HTTPError|Net::HTTP Error|SocketError|Failed to open TCP connection|Bundler could not reach|Git error: command `git clone/,
    says: 'A host that gems come from could not be reached',
  },
  {
    kind: 'missing-library',
    pattern: /mkmf\.rb can't find header files for ruby|ruby\.h(?:: No such file|\s+not found)/,
    says: 'A gem is built from C, and the header files of Ruby are not installed',
    hint: 'Install them (`sudo apt install ruby-dev build-essential`).',
  },
  {
    kind: 'missing-library',
    pattern:
      /checking for (\S+?)(?:\(\))?(?: in -l\w+)?\.\.\. no\n[\s\S]*?extconf\.rb failed|(\w+)(?:\.h)? is missing\. (?:Try|Please|Install)|Could not find ([\w.-]+\.h)/,
    says: 'A gem is built from C and lacks the library of $1',
  },
  {
    kind: 'missing-program',
    pattern:
      /(?:You have to install development tools first|The compiler failed to generate an executable file|make: not found|No such file or directory - (?:make|gcc|cc|g\+\+))/,
    says: 'A gem is built from C, and there is no compiler',
    hint: 'Install a compiler (`sudo apt install build-essential`).',
  },
  {
    kind: 'build-failed',
    pattern: /Failed to build gem native extension|Gem::Ext::BuildError|An error occurred while installing (\S+)/,
    says: 'A gem could not be built',
  },
  {
    kind: 'missing-program',
    pattern: /No such file or directory -- (bundle|bundler|gem|rackup|puma)\b|can't find gem bundler/,
    says: 'Ruby is here without Bundler',
    hint: 'Install it (`gem install bundler`, or `sudo apt install ruby-bundler`).',
  },
  {
    kind: 'version-not-found',
    pattern:
      /Could not find (?:gem|compatible versions for gem) ['"]?([\w.-]+)[^\n]*in (?:any of the (?:gem )?sources|rubygems|locally|the local)|Could not find (\S+) in (?:any of the sources|locally installed gems)|Could not find a valid gem '([^']+)'/i,
    says: 'The gem $1 is not there in a version that it wants',
  },
  {
    kind: 'missing-module',
    pattern: /cannot load such file -- (\S+)/,
    says: 'The file or gem $1 is missing',
  },
  { kind: 'entry-missing', pattern: /No such file or directory -- (\S+)/, says: 'The file $1 is not there' },
  {
    kind: 'missing-setting',
    pattern: /key not found: "([A-Z][A-Z0-9_]{2,})"/,
    says: 'The setting $1 is missing',
    hint: 'Pass it with --env $1=value.',
  },
  {
    kind: 'runtime-too-old',
    pattern:
      /undefined local variable or method [`']it'|uninitialized constant Data\b|undefined method [`'](?:except|intersect\?|compact_blank|each_cons)' for (?:an instance of )?(?:Hash|Array)|syntax error, unexpected (?:'=>'|\*|endless)/,
    says: 'It needs a newer Ruby than it got',
    hint: 'Install a newer Ruby.',
  },
  {
    kind: 'incompatible-dependency',
    pattern:
      /uninitialized constant (\S+)|undefined method [`'][^`']+' for (?:an instance of |class |module )?((?:MCP|FastMcp|ModelContextProtocol)\S*)|(?:wrong number of arguments|unknown keywords?: [^\n]*|missing keywords?: [^\n]*) \(ArgumentError\)|(?:wrong number of arguments|unknown keyword|missing keyword)[^\n]*\(ArgumentError\)/,
    says: 'A dependency is of a version that it was not written for',
  },
  { kind: 'unknown', pattern: /^.*\bsyntax errors?\b.*$/im, says: 'Its own code is broken' },
];

export const explainRuby = (output: string, exit: ExitLike): Cause => explainWith(RUBY_PATTERNS, output, exit);
