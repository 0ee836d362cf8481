import { expect, it } from 'vitest';
import { protocolMarkdown } from './docs.ts';
import { i32, list, optional, text } from './fields.ts';
import { call, protocol } from './protocol.ts';

it('renders a protocol by number', () => {
  const toy = protocol('toy', 1000, {
    second: call(1007, 'Two | bars.', { names: list(text), mode: optional(i32) }, { result: i32 }),
    first: call(1001, 'One.', {}, {}),
  });
  expect(protocolMarkdown(toy, 9)).toBe(`## toy (PID 9)

Numbers 1000–1099; 1090 is the reply, 1091 the error (\`errno\`: i32). 2 calls.

| Number | Call | Request | Reply | Meaning |
| ---: | --- | --- | --- | --- |
| 1001 | \`first\` | — | — | One. |
| 1007 | \`second\` | \`names\`: text[], \`mode\`: i32? | \`result\`: i32 | Two \\| bars. |
`);
});
