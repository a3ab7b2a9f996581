import { expect, test } from 'vitest';
import { apiBase } from '../../http/api-base.ts';

test.each([
  ['http://10.0.0.1:8000', 'http://10.0.0.1:8000/v1'],
  ['http://10.0.0.1:8000/v1/', 'http://10.0.0.1:8000/v1'],
  ['https://gateway.example/openai', 'https://gateway.example/openai/v1'],
  ['https://gateway.example/v1/team-a', 'https://gateway.example/v1/team-a/v1'],
  ['https://models.example/v4', 'https://models.example/v4'],
  ['https://models.example/api/v3', 'https://models.example/api/v3'],
  ['https://models.example/v1beta/openai/', 'https://models.example/v1beta/openai'],
  ['http://v1.example', 'http://v1.example/v1'],
])('the API at %s is %s', (url, base) => expect(apiBase(url)).toBe(base));
