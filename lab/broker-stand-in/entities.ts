/** Entities in MongoDB, as Orion keeps them: `_id` of id, type and service path, attributes by name. Speaks no HTTP. */
import { type Collection, type Db, type Filter, MongoServerError } from 'mongodb';

export interface Attribute {
  type: string;
  value: unknown;
  metadata: Record<string, unknown>;
}
export type Attributes = Record<string, Attribute>;

export interface Entity {
  id: string;
  type: string;
  attributes: Attributes;
}

interface StoredEntity {
  _id: { id: string; type: string; servicePath: string };
  attrNames: string[];
  attrs: Attributes;
  creDate: number;
  modDate: number;
}

export interface Where {
  id?: string;
  type?: string;
  servicePath: string;
}

const DUPLICATE_KEY = 11000;

/** Attribute names stand in paths of the database, where a dot would mean something; Orion writes `=` for it. */
const toKey = (name: string) => name.replaceAll('.', '=');
const fromKey = (key: string) => key.replaceAll('=', '.');

function entityOf({ _id, attrs }: StoredEntity): Entity {
  const attributes = Object.fromEntries(Object.entries(attrs).map(([key, attribute]) => [fromKey(key), attribute]));
  return { id: _id.id, type: _id.type, attributes };
}

function storedForm(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [toKey(name), attribute]));
}

function filterOf({ id, type, servicePath }: Where): Filter<StoredEntity> {
  return {
    '_id.servicePath': servicePath,
    ...(id === undefined ? {} : { '_id.id': id }),
    ...(type === undefined ? {} : { '_id.type': type }),
  } as Filter<StoredEntity>;
}

export class Entities {
  private readonly collection: Collection<StoredEntity>;

  constructor(db: Db) {
    this.collection = db.collection<StoredEntity>('entities');
  }

  async list(where: Where, limit: number, offset: number): Promise<Entity[]> {
    const found = this.collection.find(filterOf(where)).sort({ creDate: 1 }).skip(offset).limit(limit);
    return (await found.toArray()).map(entityOf);
  }

  async count(where: Where): Promise<number> {
    return this.collection.countDocuments(filterOf(where));
  }

  /** False when there is one of that id, type and service path. */
  async create({ id, type, attributes }: Entity, servicePath: string, nowS: number): Promise<boolean> {
    const attrs = storedForm(attributes);
    try {
      await this.collection.insertOne({
        _id: { id, type, servicePath },
        attrNames: Object.keys(attributes),
        attrs,
        creDate: nowS,
        modDate: nowS,
      });
      return true;
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  async get(where: Where): Promise<Entity | undefined> {
    const found = await this.collection.findOne(filterOf(where));
    return found ? entityOf(found) : undefined;
  }

  /** False when there is no such entity. */
  async setAttributes(where: Where, attributes: Attributes, nowS: number): Promise<boolean> {
    const set = Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [`attrs.${toKey(name)}`, attribute]));
    const { matchedCount } = await this.collection.updateOne(filterOf(where), { $set: { ...set, modDate: nowS } });
    return matchedCount > 0;
  }

  /** The entity keeps no other attributes. False when there is no such entity. */
  async replaceAttributes(where: Where, attributes: Attributes, nowS: number): Promise<boolean> {
    const $set = { attrNames: Object.keys(attributes), attrs: storedForm(attributes), modDate: nowS };
    const { matchedCount } = await this.collection.updateOne(filterOf(where), { $set });
    return matchedCount > 0;
  }

  async remove(where: Where): Promise<boolean> {
    return (await this.collection.deleteOne(filterOf(where))).deletedCount > 0;
  }
}
