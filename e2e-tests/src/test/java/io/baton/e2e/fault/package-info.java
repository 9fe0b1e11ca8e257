/**
 * What happens when something breaks. Two harnesses, each driven from the test's own thread:
 *
 * <ul>
 *   <li>{@link io.baton.e2e.fault.ProcessCluster}: a gateway, two prefill and two decode nodes as processes of the real
 *       command, each behind a {@link io.baton.e2e.fault.FaultProxy}. {@link io.baton.e2e.fault.ProcessFaultTest} sends
 *       them signals. Slow to start, so all rows share one cluster; a process that was killed is replaced behind the
 *       same address.
 *   <li>{@link io.baton.e2e.fault.ClusterUnderTest}: the same in this process, where a test can look into each pool.
 *       {@link io.baton.e2e.fault.HopFaultTest} breaks the ways between them with the proxies,
 *       {@link io.baton.e2e.fault.RandomFaultTest} does so by seed, {@link io.baton.e2e.fault.RequestEndTest} ends
 *       requests early.
 * </ul>
 *
 * <p>To add a row, add one line to {@code faults()} of {@code ProcessFaultTest} (signal, victim, phase, policy,
 * outcome) or {@code HopFaultTest} (hop, direction, offset, fault, policy, bound, reasons). The test then fails,
 * because the tables of docs/operations.md name exactly what is tested: copy the line it expects into the page. A new
 * kind of anything is a constant and what it means: a victim in {@link io.baton.e2e.fault.ProcessFault.Victim}, a phase
 * in {@link io.baton.e2e.fault.ProcessPhase} (how to hold a request there and how to see that it is there), a fault of
 * the network in {@link io.baton.e2e.fault.Fault}, a hop in {@link io.baton.e2e.fault.HopFault.Hop}. What every row
 * checks, it checks without being told: the tokens against the undisturbed answer's, contiguous from the first on; the
 * bound; the reasons; and each survivor's pool back at its baseline.
 */
@NullMarked
package io.baton.e2e.fault;

import org.jspecify.annotations.NullMarked;
