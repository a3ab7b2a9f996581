export { type Interval, wilsonInterval, z95 } from '../../domain/wilson-interval.ts';
