/** What the processes of a cluster export about a request, as a receiver of it sees it. */
@NullMarked
package io.baton.e2e.trace;

import org.jspecify.annotations.NullMarked;
