import tseslint from 'typescript-eslint';

const ignores = ['**/dist/**', '**/node_modules/**', 'coverage/**', 'data/**', 'onhand_plugins/**'];
const tests = ['**/*.spec.ts', '**/*.e2e-spec.ts', 'test/**'];

export default tseslint.config(
  { ignores },
  ...tseslint.configs.recommended,
  {
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      // Off: Nest reads constructor types at run time, and a type-only import would erase them.
      '@typescript-eslint/consistent-type-imports': 'off',
      'no-restricted-properties': [
        'error',
        {
          object: 'URL',
          property: 'canParse',
          message: 'Take parsedUrl: see src/channel-api/parsed-url.ts.',
        },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['src/**', 'plugins/**'],
    ignores: ['src/cli*', 'src/cli*/**'],
    rules: { 'no-console': 'error' },
  },
  {
    files: tests,
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
