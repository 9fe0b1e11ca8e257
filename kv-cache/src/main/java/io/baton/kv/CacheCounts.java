package io.baton.kv;

/**
 * Where the blocks of a {@link KvCache} are: {@code free + cached + inUse = capacity}, and {@code committed <= free +
 * cached}.
 *
 * @param free hold nothing
 * @param cached visible in the prefix index and held by nobody, hence evictable
 * @param inUse held by at least one lease
 * @param committed promised to open leases and not yet taken
 */
public record CacheCounts(int capacity, int free, int cached, int inUse, int committed) {}
