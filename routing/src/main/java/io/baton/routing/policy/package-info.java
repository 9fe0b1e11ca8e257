/**
 * Routing policies to compare {@link io.baton.routing.Router} with, on traces and in the simulator; none is used to
 * serve. Each looks at one thing only, and prefills on a prefill node always. Not safe for concurrent use.
 */
@NullMarked
package io.baton.routing.policy;

import org.jspecify.annotations.NullMarked;
