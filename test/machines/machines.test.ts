/** The suites of both machines run in one file, so that what they take together can be counted. */

import '../model/edge-cover.suite.ts';
import './calls.suite.ts';
import './stopping.suite.ts';
import './generations.suite.ts';
import './jobs.suite.ts';
import './relaunch.suite.ts';
import './restarts.suite.ts';
import './slots.suite.ts';
import './abandoned.suite.ts';
import './broken.suite.ts';
import './close.suite.ts';
import './deadlines.suite.ts';
import './remove.suite.ts';
import './health.suite.ts';
import './update.suite.ts';
import { expect, test } from 'vitest';
import { pluginMachine } from '../../machines/plugin.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { allTransitions } from '../model/coverage.ts';
import { coverage } from './covered.ts';

test.each([
  ['plugin', pluginMachine],
  ['supervisor', supervisorMachine],
])('the suites take every transition of the %s machine', (_, machine) => {
  expect(allTransitions(machine).filter((transition) => !coverage.taken.has(transition))).toEqual([]);
});
