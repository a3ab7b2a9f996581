/** One import or re-export of a module. */
export interface FoundImport {
  readonly module: string;
  /** Leaves nothing in the running program: `import type`, `export type`, `typeof import(…)`. */
  readonly typeOnly: boolean;
  /** 1-based. */
  readonly line: number;
}

const patterns = [
  // import … from 'x', export … from 'x'
  /^[ \t]*(?:import|export)\s+(?<type>type\s+)?[^'"`;()]*?\bfrom\s+['"](?<module>[^'"]+)['"]/gm,
  // import 'x'
  /^[ \t]*import\s+(?<type>)['"](?<module>[^'"]+)['"]/gm,
  // import('x'), typeof import('x')
  /(?<type>\btypeof\s+)?\bimport\(\s*['"](?<module>[^'"]+)['"]/gm,
];

/** The modules that a TypeScript file names in its imports and re-exports, in the order of the file. */
export const findImports = (source: string): FoundImport[] =>
  patterns
    .flatMap((pattern) => [...source.matchAll(pattern)])
    .sort((a, b) => a.index - b.index)
    .flatMap(({ groups, index }) => {
      if (groups?.module === undefined) return [];
      const line = source.slice(0, index).split('\n').length;
      return [{ module: groups.module, typeOnly: Boolean(groups.type), line }];
    });
