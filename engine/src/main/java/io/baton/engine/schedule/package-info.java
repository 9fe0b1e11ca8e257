/**
 * The scheduler of one engine. {@link io.baton.engine.schedule.EngineScheduler} is the thread and its
 * {@link io.baton.engine.schedule.Inbox}; {@link io.baton.engine.schedule.Intake} checks requests on the caller's
 * thread; {@link io.baton.engine.schedule.Schedule} says where each {@link io.baton.engine.schedule.Generation} and
 * {@link io.baton.engine.schedule.Prefill} is and moves it on, {@link io.baton.engine.schedule.Fills} those whose
 * blocks are lent; {@link io.baton.engine.schedule.Step} runs a batch through the
 * {@link io.baton.engine.schedule.ModelRunner} and samples; {@link io.baton.engine.schedule.LoadMeter} tells what steps
 * cost. All but inbox, intake and the handles ({@link io.baton.engine.schedule.GenerationControl},
 * {@link io.baton.engine.schedule.PrefillControl}, {@link io.baton.engine.schedule.Fill}) belong to the scheduler
 * thread, {@code baton-engine-NAME}.
 */
@NullMarked
package io.baton.engine.schedule;

import org.jspecify.annotations.NullMarked;
