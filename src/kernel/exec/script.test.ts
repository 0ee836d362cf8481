import { expect, test } from 'vitest';
import { isScript, parseScript } from './script.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

test.each([
  ['#!/bin/sh\n', { path: '/bin/sh', argument: undefined }],
  ['#! \t/bin/sh \t\nrest', { path: '/bin/sh', argument: undefined }],
  ['#!/bin/awk -f\n', { path: '/bin/awk', argument: '-f' }],
  ['#!/bin/env  a b  c \n', { path: '/bin/env', argument: 'a b  c' }],
  ['#!/bin/sh', { path: '/bin/sh', argument: undefined }],
  ['#!\n', undefined],
  ['#!   ', undefined],
  [`#!/${'x'.repeat(300)}\n`, undefined],
  [`#!/bin/x ${'y'.repeat(300)}\n`, { path: '/bin/x', argument: 'y'.repeat(256 - 9) }],
])('%j', (text, expected) => {
  expect(isScript(bytes(text))).toBe(true);
  expect(parseScript(bytes(text))).toEqual(expected);
});

test('other files are no scripts', () => {
  expect(isScript(bytes('#'))).toBe(false);
  expect(isScript(bytes('echo'))).toBe(false);
});
