/**
 * The gateway: the public gRPC API in front of a cluster. {@link io.baton.gateway.GatewayNode} owns the server and
 * everything below; {@code Cluster} knows who is there (its one thread owns members and index, views are for all);
 * {@code InferenceService} takes calls on gRPC's threads and gives each request a virtual thread, on which a
 * {@code Generation} checks it ({@code GenerateOrder}), finds its way ({@code PoolRouters}), and relays the decode
 * node's tokens ({@code DecodeCalls}) to the client ({@code ClientStream}), elsewhere if a node is lost.
 */
@NullMarked
package io.baton.gateway;

import org.jspecify.annotations.NullMarked;
