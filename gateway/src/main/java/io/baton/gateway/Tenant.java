package io.baton.gateway;

/**
 * On whose behalf a request comes, as an authenticating proxy in front says.
 *
 * @param sharingGroup who shares cached KV within the tenant; empty for all of it
 */
record Tenant(String name, String sharingGroup) {

    static final Tenant ANONYMOUS = new Tenant("", "");
}
