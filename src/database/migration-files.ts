import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { MigrationFailedError } from './database.errors';

const FILE_NAME = /^(\d{13})-([a-z0-9]+(?:-[a-z0-9]+)*)\.sql$/;

type MigrationClass = new () => MigrationInterface;

/** The `migrations` folder beside Onhand's own package.json, from the sources as from `dist`. */
export function migrationsDirectory(from: string = __dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isOnhand(join(folder, 'package.json'))) return join(folder, 'migrations');
    if (folder === dirname(folder)) {
      throw new MigrationFailedError(
        `No package.json of Onhand above ${from}. Install Onhand again; its files are incomplete.`,
      );
    }
  }
}

function isOnhand(packageFile: string): boolean {
  try {
    return (JSON.parse(readFileSync(packageFile, 'utf8')) as { name?: string }).name === 'onhand';
  } catch {
    return false;
  }
}

/** Makes a TypeORM migration of each `<milliseconds>-<name>.sql`, in the order of their timestamps. */
export function loadMigrations(directory: string): MigrationClass[] {
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  const stamps = new Map<string, string>();
  return files.map((file) => {
    const [, timestamp, title] = FILE_NAME.exec(file) ?? [];
    if (!timestamp || !title) {
      throw new MigrationFailedError(
        `The migration ${file} is misnamed: use <13 digits of milliseconds>-<words-in-lower-case>.sql.`,
      );
    }
    const sameTime = stamps.get(timestamp);
    if (sameTime)
      throw new MigrationFailedError(
        `The migrations ${sameTime} and ${file} have the same timestamp; change one.`,
      );
    stamps.set(timestamp, file);
    return migrationClass(
      `${camelCase(title)}${timestamp}`,
      readFileSync(join(directory, file), 'utf8'),
      file,
    );
  });
}

function camelCase(title: string): string {
  return title.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** TypeORM orders migrations by the 13 digits at the end of their name, and records them by that name. */
function migrationClass(name: string, sql: string, file: string): MigrationClass {
  return class implements MigrationInterface {
    readonly name = name;

    async up(queryRunner: QueryRunner): Promise<void> {
      await queryRunner.query(sql);
    }

    down(): Promise<void> {
      throw new MigrationFailedError(
        `The migration ${file} cannot be undone; restore a backup made before it.`,
      );
    }
  };
}
