/**
 * One model on one machine, seen from a service. {@link io.baton.engine.EngineHost} owns what a process shares (packed
 * weights and the compute team); an {@link io.baton.engine.Engine} is one node's block pool, prefix cache and scheduler
 * on top of it. Requests go in from any thread; every listener is called on the engine's scheduler thread and must not
 * block.
 */
@NullMarked
package io.baton.engine;

import org.jspecify.annotations.NullMarked;
