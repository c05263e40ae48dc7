/** Unit, scenario and property tests; the lab's tests have their own configuration in lab/. */
module.exports = {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.tsx?$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  testTimeout: 30_000,
  // Jest leaves a core free for watching; on two cores that is half of them.
  maxWorkers: '100%',
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
};
