/** The official conformance suite against our gateway, leg by leg, compared with `expected-scores.yml`. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Course, createCourse, legs } from './legs.ts';
import { differences, type ExpectedScores, readExpectedScores, scoreOf } from './scores.ts';
import { runServerSuite } from './suite.ts';

let course: Course;
let expected: ExpectedScores;

beforeAll(async () => {
  [course, expected] = await Promise.all([createCourse(), readExpectedScores()]);
});
afterAll(() => course?.[Symbol.asyncDispose]());

test('every leg has its expectation and every expectation its leg', () => {
  expect(Object.keys(expected.legs).toSorted()).toEqual(legs.map(({ name }) => name).toSorted());
});

test.each(legs)('conformance: $name', async (leg) => {
  const scenarios = await runServerSuite(course.urlOf(leg), leg.requirements);
  const known = expected.scenarios[leg.requirements];
  const { score, fails } = expected.legs[leg.name] ?? { score: 'none' };
  expect(scenarios.filter(({ scored }) => scored).map(({ name }) => name)).toEqual(known.scored);
  expect(scenarios.filter(({ scored }) => !scored).map(({ name }) => name)).toEqual(known.others);
  expect(differences(scenarios, fails)).toEqual([]);
  expect(scoreOf(scenarios)).toBe(score);
});
