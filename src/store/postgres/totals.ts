import type { TotalShape } from './table.ts'

/** The table with a row for each key of an index: how many documents have it, and what their numbers add up to. */
export function totalsTable(table: string, index: string): string {
  return `${table}_total_${index.replaceAll('-', '_')}`
}

/** What keeps the totals of a table right has to go before its columns do. */
export function dropTriggers(table: string): string {
  return ['added', 'changed', 'removed']
    .map((what) => `DROP TRIGGER IF EXISTS ${table}_total_${what} ON ${table};`)
    .join('\n')
}

/**
 * Makes the totals of a table anew from its rows, and the triggers that keep them. A trigger does so whoever writes,
 * in the same transaction and whether or not the writer knew what was there before.
 */
export function totalsSql(table: string, totals: readonly TotalShape[]): string {
  if (totals.length === 0) return ''
  const watched = totals.flatMap(({ column, numbers }) => [column, ...numbers.map((number) => number.column)])
  const changes = [...new Set(watched)].map((name) => `OLD.${name} IS DISTINCT FROM NEW.${name}`)
  const call = (what: string) => `EXECUTE FUNCTION ${table}_total_${what}()`
  return `
    ${totals.map((total) => filled(table, total)).join('\n')}
    ${keeper(
      `${table}_total_added`,
      totals.map((total) => add(table, total)),
    )}
    ${keeper(
      `${table}_total_removed`,
      totals.map((total) => take(table, total)),
    )}
    ${keeper(
      `${table}_total_changed`,
      totals.map((total) => `${take(table, total)} ${add(table, total)}`),
    )}
    CREATE TRIGGER ${table}_total_added AFTER INSERT ON ${table} FOR EACH ROW ${call('added')};
    CREATE TRIGGER ${table}_total_removed AFTER DELETE ON ${table} FOR EACH ROW ${call('removed')};
    CREATE TRIGGER ${table}_total_changed AFTER UPDATE ON ${table} FOR EACH ROW
      WHEN (${changes.join(' OR ')}) ${call('changed')};`
}

function filled(table: string, { index, column, numbers }: TotalShape): string {
  const name = totalsTable(table, index)
  const columns = numbers.map((number) => `, ${number.column} double precision NOT NULL`)
  const sums = numbers.map((number) => `, sum(${number.column})`)
  return `DROP TABLE IF EXISTS ${name};
    CREATE TABLE ${name} (key text COLLATE "C" PRIMARY KEY, count bigint NOT NULL${columns.join('')});
    INSERT INTO ${name} SELECT ${column}, count(*)${sums.join('')} FROM ${table}
      WHERE ${column} IS NOT NULL GROUP BY ${column};`
}

function add(table: string, { index, column, numbers }: TotalShape): string {
  const values = numbers.map((number) => `, NEW.${number.column}`)
  const sums = numbers.map((number) => `, ${number.column} = total.${number.column} + NEW.${number.column}`)
  return `IF NEW.${column} IS NOT NULL THEN
      INSERT INTO ${totalsTable(table, index)} AS total VALUES (NEW.${column}, 1${values.join('')})
        ON CONFLICT (key) DO UPDATE SET count = total.count + 1${sums.join('')};
    END IF;`
}

function take(table: string, { index, column, numbers }: TotalShape): string {
  const name = totalsTable(table, index)
  const sums = numbers.map((number) => `, ${number.column} = ${number.column} - OLD.${number.column}`)
  return `IF OLD.${column} IS NOT NULL THEN
      UPDATE ${name} SET count = count - 1${sums.join('')} WHERE key = OLD.${column};
      DELETE FROM ${name} WHERE key = OLD.${column} AND count = 0;
    END IF;`
}

function keeper(name: string, steps: readonly string[]): string {
  return `CREATE OR REPLACE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN ${steps.join('\n')} RETURN NULL; END $$;`
}
