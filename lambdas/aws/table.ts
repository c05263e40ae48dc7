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
import { callAws } from './port-errors';

export type Item = Record<string, unknown>;
export interface Key {
  pk: string;
  sk: string;
}

/** A condition with its names and values, in DynamoDB's own words. */
export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Item;
}

const BATCH_MAX = 100;

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

  /** Items of one partition, newest sort key first when `reverse`. */
  async query(pk: string, options: { limit?: number; reverse?: boolean; skPrefix?: string } = {}): Promise<Item[]> {
    const items: Item[] = [];
    let start: Record<string, AttributeValue> | undefined;
    const { limit, reverse = false, skPrefix = '' } = options;
    do {
      const input = {
        TableName: this.name,
        KeyConditionExpression: skPrefix ? 'pk = :pk AND begins_with(sk, :sk)' : 'pk = :pk',
        ExpressionAttributeValues: toItem({ ':pk': pk, ...(skPrefix ? { ':sk': skPrefix } : {}) }),
        ScanIndexForward: !reverse,
        ...(limit ? { Limit: limit - items.length } : {}),
        ...(start ? { ExclusiveStartKey: start } : {}),
      };
      const page = await callAws(`Query ${pk}`, () => this.client.send(new QueryCommand(input)));
      items.push(...(page.Items ?? []).map((item) => unmarshall(item)));
      start = page.LastEvaluatedKey;
    } while (start && (!limit || items.length < limit));
    return items;
  }

  private getPage(Keys: Record<string, AttributeValue>[]): Promise<BatchGetItemCommandOutput> {
    const RequestItems = { [this.name]: { Keys, ConsistentRead: true } };
    return callAws('BatchGetItem', () => this.client.send(new BatchGetItemCommand({ RequestItems })));
  }

  /** Many items at once, read consistently, in no order; missing ones are left out. */
  async getMany(keys: Key[]): Promise<Item[]> {
    const items: Item[] = [];
    for (let i = 0; i < keys.length; i += BATCH_MAX) {
      let Keys: Record<string, AttributeValue>[] | undefined = keys
        .slice(i, i + BATCH_MAX)
        .map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } }));
      while (Keys && Keys.length > 0) {
        const page: BatchGetItemCommandOutput = await this.getPage(Keys);
        items.push(...(page.Responses?.[this.name] ?? []).map((item) => unmarshall(item)));
        Keys = page.UnprocessedKeys?.[this.name]?.Keys;
      }
    }
    return items;
  }
}

function toItem(value: Item): Record<string, AttributeValue> {
  return marshall(value, { removeUndefinedValues: true });
}
