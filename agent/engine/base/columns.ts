// Tables of numbers as columns in one piece of memory: a million rows are a few typed arrays and
// not a million objects, and another thread sees the same rows without a message for each.

const ARRAYS = Object.freeze({
  f64: Float64Array,
  u32: Uint32Array,
  i32: Int32Array,
  u16: Uint16Array,
  u8: Uint8Array,
});

export type ColumnKind = keyof typeof ARRAYS;
/** Column name -> kind of its numbers. */
export type ColumnSchema = Readonly<Record<string, ColumnKind>>;

export type Columns<Schema extends ColumnSchema> = {
  readonly [Name in keyof Schema]: InstanceType<(typeof ARRAYS)[Schema[Name]]>;
};

/** Memory of a table; structured-cloneable, and shared or transferable by what its buffer is. */
export interface ColumnMemory {
  readonly buffer: ArrayBufferLike;
  /** Rows that there is room for. */
  readonly capacity: number;
}

/** Memory for a table of `capacity` rows of zeros. Pages that nobody touches cost nothing. */
export function allocateColumns(
  schema: ColumnSchema,
  capacity: number,
  { isShared }: { readonly isShared: boolean },
): ColumnMemory {
  const bytes = capacity * rowBytes(schema);
  return { buffer: isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes), capacity };
}

/** The columns of a table that lies in `memory`. */
export function attachColumns<Schema extends ColumnSchema>(
  schema: Schema,
  { buffer, capacity }: ColumnMemory,
): Columns<Schema> {
  let offset = 0;
  const columns: [string, unknown][] = [];
  // Wide columns first, so that each begins at a multiple of its width whatever the capacity is.
  for (const kind of ['f64', 'u32', 'i32', 'u16', 'u8'] as const) {
    for (const [name, columnKind] of Object.entries(schema)) {
      if (columnKind !== kind) continue;
      // Typed arrays take either kind of buffer; their type of five kinds at once does not say so.
      columns.push([name, new ARRAYS[kind](buffer as ArrayBuffer, offset, capacity)]);
      offset += capacity * ARRAYS[kind].BYTES_PER_ELEMENT;
    }
  }
  // Each name of the schema got an array of its kind.
  return Object.fromEntries(columns) as Columns<Schema>;
}

/** The same rows in new memory with room for `capacity`. */
export function grownColumns(
  schema: ColumnSchema,
  memory: ColumnMemory,
  capacity: number,
): ColumnMemory {
  const isShared = memory.buffer instanceof SharedArrayBuffer;
  const grown = allocateColumns(schema, capacity, { isShared });
  const from = attachColumns(schema, memory);
  const to = attachColumns(schema, grown);
  for (const name of Object.keys(schema)) to[name].set(from[name]);
  return grown;
}

function rowBytes(schema: ColumnSchema): number {
  const kinds = Object.values(schema);
  return kinds.reduce((sum, kind) => sum + ARRAYS[kind].BYTES_PER_ELEMENT, 0);
}
