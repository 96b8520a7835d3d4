import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** An aggregate gets instants and ids as arguments (DESIGN rule 7); time and chance read inside could not be tested or re-run. */
const READS_TIME_OR_CHANCE = [
  ['MemberExpression[object.name=/^(Date|performance)$/][property.name="now"]', 'the clock'],
  ['NewExpression[callee.name="Date"][arguments.length=0]', 'the clock'],
  ['CallExpression[callee.name="Date"]', 'the clock'],
  ['MemberExpression[object.name="Math"][property.name="random"]', 'chance'],
  ['MemberExpression[property.name=/^(randomUUID|getRandomValues|randomBytes)$/]', 'chance'],
  ['CallExpression[callee.name=/^(randomUUID|randomBytes|v4|v7)$/]', 'chance'],
].map(([selector, what]) => ({ selector, message: `The domain does not read ${what}: take it as an argument.` }));

const WAITS = ['setTimeout', 'setInterval'].map((name) => ({
  name,
  message: 'A test does not sleep: await a condition with a deadline (test/support/eventually.ts).',
}));

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'data/', 'test/architecture/violations/', 'test/client/reserve.ts']),
  // What a rule gets wrong is settled here, where it is seen, not by comments in the code.
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-param-reassign': 'error',
      'object-shorthand': 'error',
      'prefer-template': 'error',
      // It leaves files with decorators alone, because Nest finds what a constructor wants through value imports.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `void | Promise<void>` says that a caller may be asynchronous; it is awaited either way.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // To name the default argument of a type is clearer than to know it.
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      // `[...text]` counts characters as JSON Schema does: by code points.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // Nest and TypeORM declare their options as classes and take plain objects.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // Modules are empty classes with a decorator; "no fields" is an empty class, too.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true, allowEmpty: true }],
      // There are no enums here but those of drivers' typings, whose values arrive as plain numbers.
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/modules/*/domain/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...READS_TIME_OR_CHANCE] },
  },
  {
    // Programs for a person at a terminal.
    files: ['scripts/**/*.ts', 'bench/**/*.ts', 'simulation/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': ['error', ...WAITS],
      'no-restricted-imports': [
        'error',
        { paths: ['timers', 'node:timers', 'timers/promises', 'node:timers/promises'] },
      ],
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      // Answers of fetch and JSON.parse are `any`; the expectations say what they have to be.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { globals: { process: 'readonly' } },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { __dirname: 'readonly', module: 'writable', require: 'readonly' },
    },
  },
);
