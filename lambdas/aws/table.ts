/** The one DynamoDB table: keys and the few calls the stores share. Knows nothing of what a row means. */
import {
  type AttributeValue,
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { PortError } from '../app/ports';
import { callAws } from './port-errors';

export type Item = Record<string, unknown>;
/** A type, not an interface, so that a key alone is an item too. */
export type Key = { pk: string; sk: string };

/** A condition with its names and values, in DynamoDB's own words. */
export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Item;
}

/** Most keys of one BatchGetItem (DynamoDB). */
const BATCH_MAX = 100;
const UNPROCESSED_PAGES_MAX = 5;

/** Bound to one table; every call maps SDK errors to port errors. */
export class Table {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly name: string,
  ) {}

  private conditionOf(condition: Condition | undefined) {
    if (!condition) return {};
    return {
      ConditionExpression: condition.expression,
      ...(condition.names ? { ExpressionAttributeNames: condition.names } : {}),
      ...(condition.values ? { ExpressionAttributeValues: toItem(condition.values) } : {}),
    };
  }

  /** One item, read consistently; null when there is none. */
  async get({ pk, sk }: Key): Promise<Item | null> {
    const input = { TableName: this.name, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true };
    const { Item } = await callAws(`GetItem ${pk}`, () => this.client.send(new GetItemCommand(input)));
    return Item ? unmarshall(Item) : null;
  }

  /** @throws conflict when the condition does not hold. */
  async put(item: Item & Key, condition?: Condition): Promise<void> {
    const input = { TableName: this.name, Item: toItem(item), ...this.conditionOf(condition) };
    await callAws(`PutItem ${item.pk}`, () => this.client.send(new PutItemCommand(input)));
  }

  async delete({ pk, sk }: Key, condition?: Condition): Promise<void> {
    const input = { TableName: this.name, Key: { pk: { S: pk }, sk: { S: sk } }, ...this.conditionOf(condition) };
    await callAws(`DeleteItem ${pk}`, () => this.client.send(new DeleteItemCommand(input)));
  }

  /** Sets some attributes of an item, making it when missing; answers all of it. @throws conflict when the condition does not hold. */
  async update({ pk, sk }: Key, values: Item, condition: Condition): Promise<Item> {
    const names = Object.keys(values);
    const input = {
      TableName: this.name,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: `SET ${names.map((name, i) => `#s${i} = :${name}`).join(', ')}`,
      ConditionExpression: condition.expression,
      ExpressionAttributeNames: { ...condition.names, ...Object.fromEntries(names.map((name, i) => [`#s${i}`, name])) },
      ExpressionAttributeValues: toItem({ ...condition.values, ...Object.fromEntries(names.map((name) => [`:${name}`, values[name]])) }),
      ReturnValues: 'ALL_NEW',
    } as const;
    const { Attributes } = await callAws(`UpdateItem ${pk}`, () => this.client.send(new UpdateItemCommand(input)));
    return unmarshall(Attributes ?? {});
  }

  /** Adds 1 to `field` of an item, making it when missing, unless it is at `limit`. @throws conflict at the limit. */
  async increment({ pk, sk }: Key, field: string, limit: number, expiresAtS: number): Promise<void> {
    const input = {
      TableName: this.name,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: 'ADD #f :one SET expiresAt = :t',
      ConditionExpression: 'attribute_not_exists(#f) OR #f < :limit',
      ExpressionAttributeNames: { '#f': field },
      ExpressionAttributeValues: toItem({ ':one': 1, ':limit': limit, ':t': expiresAtS }),
    };
    await callAws(`UpdateItem ${pk}`, () => this.client.send(new UpdateItemCommand(input)));
  }

  /** Items of one partition, read consistently, newest sort key first when `reverse`; at most `limit`. */
  async query(pk: string, options: { limit?: number; reverse?: boolean } = {}): Promise<Item[]> {
    const items: Item[] = [];
    let start: Record<string, AttributeValue> | undefined;
    const { limit = Number.POSITIVE_INFINITY, reverse = false } = options;
    do {
      const input = {
        TableName: this.name,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: pk } },
        ScanIndexForward: !reverse,
        ConsistentRead: true,
        ...(Number.isFinite(limit) ? { Limit: limit - items.length } : {}),
        ...(start ? { ExclusiveStartKey: start } : {}),
      };
      const page = await callAws(`Query ${pk}`, () => this.client.send(new QueryCommand(input)));
      items.push(...(page.Items ?? []).map((item) => unmarshall(item)));
      start = page.LastEvaluatedKey;
    } while (start && items.length < limit);
    return items;
  }

  private getPage(keys: Record<string, AttributeValue>[]): Promise<BatchGetItemCommandOutput> {
    const RequestItems = { [this.name]: { Keys: keys, ConsistentRead: true } };
    return callAws('BatchGetItem', () => this.client.send(new BatchGetItemCommand({ RequestItems })));
  }

  /** Many items at once, read consistently, in no order; missing ones are left out. @throws throttled when DynamoDB keeps leaving some out */
  async getMany(keys: Key[]): Promise<Item[]> {
    const items: Item[] = [];
    let left = keys.map(({ pk, sk }): Record<string, AttributeValue> => ({ pk: { S: pk }, sk: { S: sk } }));
    // A page may leave some for later (16 MB, throttling): each key gets a few turns, no more.
    for (let pages = Math.ceil(left.length / BATCH_MAX) + UNPROCESSED_PAGES_MAX; left.length > 0; pages--) {
      if (pages === 0) throw new PortError('throttled', `BatchGetItem left ${left.length} of ${keys.length} keys unread again and again`);
      const page = await this.getPage(left.slice(0, BATCH_MAX));
      items.push(...(page.Responses?.[this.name] ?? []).map((item) => unmarshall(item)));
      left = [...left.slice(BATCH_MAX), ...(page.UnprocessedKeys?.[this.name]?.Keys ?? [])];
    }
    return items;
  }
}

function toItem(value: Item): Record<string, AttributeValue> {
  return marshall(value, { removeUndefinedValues: true });
}
