/** Claims to be the daemon of the home in argv[2]: says `>claimed` or the refusal, and stays; SIGTERM releases the claim. */
import { createStore } from '../../../actors/store/create-store.ts';

const store = createStore({ home: process.argv[2] ?? '' });
store.claimDaemon({ version: '1.2.3' }).then(
  (claim) => {
    process.on('SIGTERM', () => {
      claim.release();
      console.log('>released');
    });
    // Whoever hears it may send the signal at once.
    console.log('>claimed', JSON.stringify(claim.holder));
  },
  ({ failure }) => console.log('>refused', JSON.stringify(failure)),
);
setInterval(() => {}, 1000);
