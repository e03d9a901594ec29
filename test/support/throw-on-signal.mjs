// Preloaded into the command line by a test: SIGUSR2 becomes an exception that nobody catches.
process.on('SIGUSR2', () => {
  setImmediate(() => {
    throw new Error('thrown by a test');
  });
});
