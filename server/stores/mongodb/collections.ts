/** The collections of a database, typed. */
import type { Collection, Db, MongoClient } from 'mongodb';
import type {
  AclDocument,
  AuditDocument,
  ChainDocument,
  ClaimDocument,
  CommitDocument,
  HistoryDocument,
  IndexDefinitionDocument,
  InstanceDocument,
  JobDocument,
  LeaseDocument,
  MetaDocument,
  PersonalDocument,
  PersonDocument,
  QuarantineDocument,
  RightDocument,
  RowDocument,
  StoredRow,
  TokenDocument,
  UsedNameDocument,
} from './documents.ts';

/** Where everything is kept. */
export type Collections = {
  readonly client: MongoClient;
  readonly meta: Collection<MetaDocument>;
  readonly leases: Collection<LeaseDocument>;
  readonly commits: Collection<CommitDocument>;
  readonly persons: Collection<PersonDocument>;
  readonly rights: Collection<RightDocument>;
  readonly rows: Collection<StoredRow>;
  /** The same collection, for statements whose filter no tombstone satisfies. */
  readonly standing: Collection<RowDocument>;
  readonly history: Collection<HistoryDocument>;
  readonly acl: Collection<AclDocument>;
  readonly instances: Collection<InstanceDocument>;
  readonly quarantine: Collection<QuarantineDocument>;
  readonly claims: Collection<ClaimDocument>;
  readonly jobs: Collection<JobDocument>;
  readonly indexDefinitions: Collection<IndexDefinitionDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly chain: Collection<ChainDocument>;
  readonly personal: Collection<PersonalDocument>;
  readonly tokens: Collection<TokenDocument>;
  readonly usedNames: Collection<UsedNameDocument>;
};

/** Names the collections of a database. */
export function collectionsOf(client: MongoClient, db: Db): Collections {
  return {
    client,
    meta: db.collection('meta'),
    leases: db.collection('leases'),
    commits: db.collection('commits'),
    persons: db.collection('persons'),
    rights: db.collection('rights'),
    rows: db.collection('rows'),
    standing: db.collection('rows'),
    history: db.collection('history'),
    acl: db.collection('acl'),
    instances: db.collection('instances'),
    quarantine: db.collection('quarantine'),
    claims: db.collection('claims'),
    jobs: db.collection('jobs'),
    indexDefinitions: db.collection('index_definitions'),
    audit: db.collection('audit_events'),
    chain: db.collection('audit_chain'),
    personal: db.collection('audit_personal'),
    tokens: db.collection('tokens'),
    usedNames: db.collection('used_names'),
  };
}
