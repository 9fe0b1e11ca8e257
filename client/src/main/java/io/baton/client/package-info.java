/**
 * The Java SDK. {@link io.baton.client.BatonClient} is one connection to a gateway;
 * {@link io.baton.client.GenerateSpec} says what to generate; {@link io.baton.client.Generation} is the blocking stream
 * of tokens and {@link io.baton.client.GenerationListener} its callback form; both end in a
 * {@link io.baton.client.GenerationResult} or a {@link io.baton.client.BatonException}. Values are immutable. A client
 * is thread-safe; a generation belongs to the thread that reads it, and only its {@code cancel} may be called by
 * others.
 */
@NullMarked
package io.baton.client;

import org.jspecify.annotations.NullMarked;
