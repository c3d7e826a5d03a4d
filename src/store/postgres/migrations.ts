/** A step from one version of the schema to the next. Never changed once it was released; a later one is added. */
export interface Migration {
  version: number
  name: string
  sql: string
}

/** What `collections.ts` says is not here: tables of documents follow it by themselves (`shape.ts`). */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: "journals, and how processes keep out of each other's way",
    sql: `
      CREATE TABLE journal_rows (
        journal text COLLATE "C", at text COLLATE "C", id text COLLATE "C", row json NOT NULL,
        PRIMARY KEY (journal, at, id));
      COMMENT ON TABLE journal_rows IS 'What only ever grows: audit and the like.';

      CREATE TABLE turn (at timestamptz NOT NULL);
      INSERT INTO turn VALUES (now());
      COMMENT ON TABLE turn IS 'Locked by each transaction in the mode in which it runs; written to try whether writing works.';

      CREATE TABLE changes (
        tx xid8 DEFAULT pg_current_xact_id(), id bigint GENERATED ALWAYS AS IDENTITY,
        sender text NOT NULL, list json NOT NULL, PRIMARY KEY (tx, id));
      COMMENT ON TABLE changes IS 'What the last minutes changed, for the other processes. Old rows are removed.';
    `,
  },
]
