/**
 * The k training rows nearest to each row of another set, exact, as scikit-learn's NearestNeighbors (brute force).
 *
 *   euclidean  |q - x|,  found as the largest  q·x - |x|²/2   (one product more than the dot product)
 *   cosine     1 - q·x / (|q| |x|);  a row of zeros is at distance 1 from everything
 *
 * The engine's float32 product brings forward some candidates more than k; their distances are computed again in float64,
 * and these decide. A row that was not brought forward scores at most the last candidate's score plus the largest possible
 * rounding error: only where the k-th distance is nearer than that are the k certain. The few queries where it is not are
 * asked again for more candidates. Equal distances (duplicates) stand by row, the earlier first.
 */
import { inputError } from '../base/errors.ts';
import type { Engine } from '../engine/index.ts';
import { searchExact, vectorArray } from '../retrieve/exact.ts';
import { matrixProductOn } from '../retrieve/matrix-product.ts';
import { checkFeatures, checkWidth, type DenseRows, selectRows } from './features.ts';

export type Distance = 'euclidean' | 'cosine';

export interface NeighbourOptions {
  engine: Engine;
  /** Default 5. */
  k?: number;
  /** Default `euclidean`, MTEB's. */
  distance?: Distance;
}

export interface Neighbours {
  readonly k: number;
  /** [queries, k] training rows, nearest first. */
  readonly rows: Int32Array;
  /** [queries, k] */
  readonly distances: Float64Array;
}

/** Candidates at first, beyond k. */
const spare = 11;
/** Products whose scores stay in the processor's cache until they are looked through. */
const blocks = { documentBlock: 2048, queryBlock: 1024 };
/** Half of float32's last place. */
const unit = 2 ** -24;

/** Throws where there are fewer training rows than k, vectors of two lengths, or numbers that are none. */
export async function nearestNeighbours(
  train: DenseRows,
  queries: DenseRows,
  { engine, k = 5, distance = 'euclidean' }: NeighbourOptions,
): Promise<Neighbours> {
  const rows = checkFeatures(train, 'train');
  const count = checkFeatures(queries, 'test');
  checkWidth(queries, train.dimensions, 'test');
  if (!(Number.isInteger(k) && k >= 1 && k <= rows))
    throw inputError('there are not so many neighbours', {
      code: 'classify.neighbours',
      field: 'k',
      expected: `a whole number from 1 to ${rows}, the training rows`,
      found: String(k),
      hint: 'choose a smaller k, or more training documents',
    });
  const space = distance === 'cosine' ? cosineSpace(train, queries) : euclideanSpace(train, queries);
  const product = await matrixProductOn(engine);
  const found: Neighbours = { k, rows: new Int32Array(count * k), distances: new Float64Array(count * k) };
  try {
    let open = Int32Array.from({ length: count }, (_, query) => query);
    for (let candidates = Math.min(rows, k + spare); open.length > 0; candidates = Math.min(rows, candidates * 8)) {
      const asked =
        open.length === count
          ? space.queries
          : selectRows({ vectors: space.queries, dimensions: space.width }, open).vectors;
      const rankings = await searchExact(vectorArray(space.train, space.width), asked, {
        product,
        k: candidates,
        ...blocks,
      });
      const uncertain: number[] = [];
      for (const [i, ranking] of rankings.entries()) {
        const query = open[i]!;
        const nearest = rerank(space, query, ranking.rows, k);
        const last = ranking.scores.at(-1)!;
        if (candidates < rows && nearest.score <= last + space.error(query)) uncertain.push(query);
        else
          nearest.order.forEach(({ row, value }, place) => {
            found.rows[query * k + place] = row;
            found.distances[query * k + place] = value;
          });
      }
      open = Int32Array.from(uncertain);
    }
  } finally {
    await product.close();
  }
  return found;
}

/** Vectors whose dot products rank as the distance does, and what is needed to be exact. */
interface Space {
  train: Float32Array;
  queries: Float32Array;
  width: number;
  distance: (query: number, row: number) => number;
  /** The score that belongs to a distance. */
  score: (query: number, distance: number) => number;
  /** No float32 score of this query is off by more. */
  error: (query: number) => number;
}

function euclideanSpace(train: DenseRows, queries: DenseRows): Space {
  const { dimensions } = train;
  const width = dimensions + 1;
  const squares = squaredNorms(train);
  const own = squaredNorms(queries);
  const largest = squares.reduce((most, value) => Math.max(most, value), 0);
  return {
    train: widened(train, (row) => -squares[row]! / 2),
    queries: widened(queries, () => 1),
    width,
    distance(query, row) {
      let [sum, a, b] = [0, query * dimensions, row * dimensions];
      for (const end = a + dimensions; a < end; a++, b++) sum += (queries.vectors[a]! - train.vectors[b]!) ** 2;
      return Math.sqrt(sum);
    },
    score: (query, distance) => (own[query]! - distance * distance) / 2,
    // The sum of width rounded products, and the rounding of the square that is one of them.
    error: (query) => (width + 2) * unit * (Math.sqrt(own[query]! * largest) + largest / 2),
  };
}

function cosineSpace(train: DenseRows, queries: DenseRows): Space {
  const { dimensions } = train;
  const [lengths, own] = [train, queries].map((set) => squaredNorms(set).map((square) => Math.sqrt(square) || 1));
  return {
    train: scaled(train, lengths!),
    queries: scaled(queries, own!),
    width: dimensions,
    distance(query, row) {
      let [sum, a, b] = [0, query * dimensions, row * dimensions];
      for (const end = a + dimensions; a < end; a++, b++) sum += queries.vectors[a]! * train.vectors[b]!;
      return 1 - sum / (own![query]! * lengths![row]!);
    },
    score: (_, distance) => 1 - distance,
    error: () => (dimensions + 4) * unit,
  };
}

/** The k nearest of some rows by exact distances, and the score of the last of them. */
function rerank({ distance, score }: Space, query: number, rows: Int32Array, k: number) {
  const order = Array.from(rows, (row) => ({ row, value: distance(query, row) }));
  order.sort((a, b) => a.value - b.value || a.row - b.row);
  order.length = k;
  return { order, score: score(query, order[k - 1]!.value) };
}

function squaredNorms({ vectors, dimensions }: DenseRows): Float64Array {
  return Float64Array.from({ length: vectors.length / dimensions }, (_, row) => {
    let sum = 0;
    for (let i = row * dimensions; i < (row + 1) * dimensions; i++) sum += vectors[i]! ** 2;
    return sum;
  });
}

/** Rows with one number more at their end. */
function widened({ vectors, dimensions }: DenseRows, last: (row: number) => number): Float32Array {
  const rows = vectors.length / dimensions;
  const wider = new Float32Array(rows * (dimensions + 1));
  for (let row = 0; row < rows; row++) {
    wider.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), row * (dimensions + 1));
    wider[row * (dimensions + 1) + dimensions] = last(row);
  }
  return wider;
}

function scaled({ vectors, dimensions }: DenseRows, lengths: Float64Array): Float32Array {
  return vectors.map((value, i) => value / lengths[Math.floor(i / dimensions)]!);
}
