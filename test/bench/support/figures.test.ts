/** What benches say of their budgets. */
import { expect } from 'chai';
import { budgetOf } from './figures.ts';

describe('The budget of a bench', () => {
  it('is kept by what is as much as it may be', () => {
    expect(budgetOf([{ label: 'ratio', measured: 1.3, most: 1.3 }])).to.equal('within budget');
  });

  it('is exceeded by so many percent, figure by figure', () => {
    const figures = [
      { label: 'ratio', measured: 1.761, most: 1.3 },
      { label: 'modalityRatio', measured: 1.2, most: 1.3 },
      { label: 'exactCountCpuMs', measured: 31, most: 10 },
    ];
    expect(budgetOf(figures)).to.equal('over budget by 36 % (ratio 1.761 of 1.3), 210 % (exactCountCpuMs 31 of 10)');
    expect(budgetOf([{ label: 'ratio', measured: 1.3001, most: 1.3 }])).to.include('over budget by 1 %');
    expect(budgetOf([{ label: 'ratio', measured: Number.NaN, most: 1.3 }]), 'nothing was measured').to.include('over');
  });
});
