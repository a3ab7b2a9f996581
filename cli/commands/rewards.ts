import type { Command } from 'commander';
import { rewardNames } from '../../domain/score.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { explainTraces } from './rewards-explain.ts';
import { replay } from './rewards-replay.ts';

const list = (): void => {
  for (const name of rewardNames) {
    process.stdout.write(`${name}\n`);
    for (const [term, { range, what, source }] of Object.entries(rewards[name].terms))
      process.stdout.write(`  ${term.padEnd(14)} ${range.join(' to ').padEnd(12)} ${what} [${source}]\n`);
  }
};

/** Adds the commands of the reward laboratory. */
export const addRewardsCommands = (program: Command): void => {
  const command = program.command('rewards').description('what rewards are made of, and what they make of episodes');
  command.command('list').description('every reward with its terms, their ranges and sources').action(list);
  command
    .command('explain <trace>')
    .description('each term of the episodes of a file, and why: a trace or a group as JSON, rollouts, a journal')
    .option('--reward <names>', 'rewards with commas between them, or all', 'lensmith')
    .option('--episode <id>', 'only this episode; its group is still scored as a whole')
    .option('--images <folder>', 'folder of <digest>.png and the like, for the terms that look at pixels')
    .action(explainTraces);
  command
    .command('replay <run>')
    .description('how rewards would have ranked the recorded episodes of a run, and where they disagree')
    .option('--reward <names>', 'rewards with commas between them, or all', 'all')
    .option(
      '--from <recording>',
      'rollouts of RL, or evaluations: episodes of all models about the same sample',
      'rollouts',
    )
    .option('--steps <count>', 'at most so many steps, spread over the run', '40')
    .option('--html <file>', 'where the page goes; report/rewards.html of the run without it')
    .option('--json', 'the tables as JSON, and no page')
    .action(replay);
};
