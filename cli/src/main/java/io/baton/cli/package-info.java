/**
 * The {@code baton} command. {@link io.baton.cli.Baton} is the entry point; each {@code …Command} is one subcommand.
 * {@link io.baton.cli.SettingOptions} makes flags of settings and {@link io.baton.cli.Configuration} loads them in
 * layers; {@link io.baton.cli.Roles} starts nodes and {@link io.baton.cli.LocalCluster} a whole cluster in this
 * process; {@link io.baton.cli.trace} draws what became of a request. Everything here runs on the main thread, but for
 * the drain, which a signal starts on a thread of its own.
 */
@NullMarked
package io.baton.cli;

import org.jspecify.annotations.NullMarked;
