/**
 * Which way a request goes: pure code without I/O or threads of its own, the same in gateway, decode node and
 * simulator. {@link io.baton.routing.ClusterIndex} turns the nodes' event streams ({@link io.baton.routing.NodeChange})
 * into {@link io.baton.routing.ClusterView}s; it belongs to the one thread that feeds it, views belong to nobody.
 * {@link io.baton.routing.CostModel} estimates what a {@link io.baton.routing.RequestShape} costs on a node or pair of
 * nodes. {@link io.baton.routing.Router} chooses by that estimate (any thread, one at a time) and explains itself
 * ({@link io.baton.routing.Explanation}); {@link io.baton.routing.PrefillChoice} is the decode node's last word.
 */
@NullMarked
package io.baton.routing;

import org.jspecify.annotations.NullMarked;
