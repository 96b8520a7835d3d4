import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type BalanceAsOf, GetBalancesAsOf, ListBalancesAsOf } from '../contract.ts';
import { BalancesAsOf } from './balances-as-of.ts';

@QueryHandler(GetBalancesAsOf)
export class GetBalancesAsOfHandler implements IQueryHandler<GetBalancesAsOf> {
  constructor(private readonly balances: BalancesAsOf) {}

  execute({ through, skus }: GetBalancesAsOf): Promise<readonly BalanceAsOf[]> {
    return this.balances.of(through, skus);
  }
}

@QueryHandler(ListBalancesAsOf)
export class ListBalancesAsOfHandler implements IQueryHandler<ListBalancesAsOf> {
  constructor(private readonly balances: BalancesAsOf) {}

  execute({ through, afterSku, limit }: ListBalancesAsOf): Promise<readonly BalanceAsOf[]> {
    return this.balances.behind(through, afterSku, limit);
  }
}
