import { Option } from 'commander';

/** `--set key=value`, once for each change: one that took more would take the words after it, such as the spec, as well. */
export const setOption = (example: string): Option =>
  new Option('--set <key=value>', `change a value of the spec, such as ${example}; as often as needed`).argParser(
    (assignment: string, earlier: readonly string[] = []): string[] => [...earlier, assignment],
  );
