/**
 * The sections of an invented patent, each in its own style. Every function draws its wording from the stream it is given.
 */
import type { RandomStream } from '../../base/random.ts';
import type { Concept } from './landscape.ts';

export interface Invention {
  /** Plain name and formal name of the device. */
  device: readonly string[];
  problem: string;
  concepts: readonly Concept[];
}

export function titleOf({ device, concepts }: Invention, draw: RandomStream): string {
  const plain = draw.pick(device);
  const [first, second] = concepts.map((concept) => nameOf(concept, 0, 1, draw));
  const title = draw.pick([
    `${plain} with ${article(first!)}`,
    `${plain} comprising ${article(first!)} and ${article(second!)}`,
    `${article(first!)} for a ${plain}`,
    `${plain}`,
    `improved ${plain} and method of use`,
  ]);
  return title[0]!.toUpperCase() + title.slice(1);
}

export function abstractOf({ device, problem, concepts }: Invention, draw: RandomStream): string {
  const sentences = [
    draw.pick([
      `A ${draw.pick(device)} is disclosed.`,
      `The invention relates to a ${draw.pick(device)}.`,
      `Disclosed is an improved ${device[0]}.`,
    ]),
  ];
  for (const concept of concepts.slice(0, 3)) {
    const name = nameOf(concept, 0, 2, draw);
    sentences.push(
      draw.pick([
        `It has ${article(name)} that ${concept.does}.`,
        `${capital(article(name))} having ${concept.part} ${concept.does}.`,
        `By means of ${article(name)} the device ${concept.does}.`,
      ]),
    );
  }
  if (draw.uniform() < 0.5) sentences.push(`Thus it is avoided that ${problem}.`);
  return sentences.join(' ');
}

export function claimsOf({ device, concepts }: Invention, draw: RandomStream): string[] {
  const formal = device.at(-1)!;
  const parts = concepts
    .slice(0, 2)
    .map((concept) => `${article(nameOf(concept, 1, 2, draw))} configured such that it ${concept.does}`);
  const claims = [`1. ${capital(article(formal))} comprising: a base member; ${parts.join('; and ')}.`];
  for (const concept of concepts) {
    const number = claims.length + 1;
    const parent = 1 + draw.integer(claims.length);
    const name = nameOf(concept, 1, 2, draw);
    claims.push(
      draw.pick([
        `${number}. The ${formal} of claim ${parent}, wherein the ${name} comprises ${concept.part}.`,
        `${number}. The ${formal} according to claim ${parent}, further comprising ${article(name)} having ${concept.part}.`,
        `${number}. The ${formal} of claim ${parent}, wherein said ${name} ${concept.does}.`,
      ]),
    );
  }
  return claims;
}

export function descriptionOf({ device, problem, concepts }: Invention, length: number, draw: RandomStream): string {
  const paragraphs = [
    `TECHNICAL FIELD. The present invention relates to a ${device[0]}, also called ${article(device.at(-1)!)}.`,
    `BACKGROUND. In the prior art ${problem}. ${capital(draw.pick(fillers))}`,
    `SUMMARY. It is an object of the invention to provide a ${draw.pick(device)} in which this is avoided.`,
  ];
  const rounds = Math.max(1, Math.round(2 * length));
  for (let round = 0; round < rounds; round++) {
    for (const [at, concept] of concepts.entries()) {
      const numeral = 10 * (at + 1) + round;
      const [one, two] = [nameOf(concept, 0, 2, draw), nameOf(concept, 0, 2, draw)];
      paragraphs.push(
        draw.pick([
          `Referring to FIG. ${1 + draw.integer(9)}, the ${one} ${numeral} has ${concept.part}. In operation the ${two} ${numeral} ${concept.does}.`,
          `In one embodiment ${article(one)} ${numeral} is provided, which ${concept.does}. The ${two} ${numeral} may comprise ${concept.part}.`,
          `As will be understood, the ${one} ${numeral} ${concept.does}, for which ${concept.part} is mounted at the ${two} ${numeral}.`,
        ]) + (draw.uniform() < 0.4 ? ` ${capital(draw.pick(fillers))}` : ''),
      );
    }
  }
  paragraphs.push(
    'The embodiments described are given by way of example; many changes are possible within the claims.',
  );
  return paragraphs.join('\n');
}

const fillers = [
  'the dimensions given may be varied without leaving the scope of the invention.',
  'suitable materials are aluminium, steel and reinforced plastics.',
  'the person skilled in the art will choose the arrangement according to need.',
  'tests have shown that this arrangement works reliably over a long time.',
  'for the sake of clarity, like parts bear like numerals.',
  'the parts may be joined by screws, by welding or by an adhesive.',
  'a controller may store values measured before and compare them with limits.',
] as const;

/** One of the names `from..to` (inclusive) of a concept. */
function nameOf(concept: Concept, from: number, to: number, draw: RandomStream): string {
  return concept.names[Math.min(concept.names.length - 1, from + draw.integer(to - from + 1))]!;
}

function article(name: string): string {
  return `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`;
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
