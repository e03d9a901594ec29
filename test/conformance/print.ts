/** `npm run conformance [-- part-of-a-leg's-name]`: a table of the legs; exits with 1 where one differs from what is expected. */

import { createCourse, legs } from './legs.ts';
import { differences, readExpectedScores, scoreOf } from './scores.ts';
import { runServerSuite } from './suite.ts';

const expected = await readExpectedScores();
const wanted = legs.filter(({ name }) => process.argv.slice(2).every((word) => name.includes(word)));
const course = await createCourse();
let different = false;
for (const leg of wanted) {
  const scenarios = await runServerSuite(course.urlOf(leg), leg.requirements);
  const others = scenarios.filter(({ scored }) => !scored);
  const passed = others.filter(({ failures }) => failures.length === 0).length;
  const { score = '?', fails = {} } = expected.legs[leg.name] ?? {};
  const surprises = differences(scenarios, fails);
  different ||= surprises.length > 0;
  const mark = surprises.length === 0 ? 'as expected' : `expected ${score}`;
  console.log(
    `${leg.name.padEnd(40)} ${scoreOf(scenarios).padStart(6)} scored, ${passed}/${others.length} others  ${mark}`,
  );
  for (const [name, why] of Object.entries(fails)) console.log(`    ${name}: ${why}`);
  for (const surprise of surprises) console.log(`  ! ${surprise.slice(0, 400)}`);
}
await course[Symbol.asyncDispose]();
process.exitCode = different ? 1 : 0;
