/**
 * What happens when something breaks. {@link io.baton.e2e.fault.FaultProxy} stands between two tiers and breaks the way
 * between them at scripted bytes; {@link io.baton.e2e.fault.ClusterUnderTest} is a gateway with prefill and decode
 * nodes on loopback, with such proxies where a test wants them. Tests own the cluster and drive it from their own
 * thread.
 */
@NullMarked
package io.baton.e2e.fault;

import org.jspecify.annotations.NullMarked;
