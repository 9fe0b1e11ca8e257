/**
 * What every service shares. Configuration: {@link io.baton.serving.Settings} loads {@link io.baton.serving.Setting}s
 * in layers; {@link io.baton.serving.ListenSettings} and {@link io.baton.serving.TlsSettings} are records made from
 * them. Serving: {@link io.baton.serving.GrpcServer} with {@link io.baton.serving.Health},
 * {@link io.baton.serving.RoleGuard}, {@link io.baton.serving.TlsCredentials} and {@link io.baton.serving.Statuses};
 * {@link io.baton.serving.Drain} ends a process in order. Dialling: {@link io.baton.serving.Channels}, whose calls end
 * with what {@link io.baton.serving.ConnectionLoss} makes of a broken connection; both ends notice a lost peer by
 * {@link io.baton.serving.KeepAlive}. Membership: {@link io.baton.serving.NodeEvents} tells, and
 * {@link io.baton.serving.NodeWatcher} hears, what a node has cached and how loaded it is. All public classes are
 * thread-safe; the events thread of {@code NodeEvents} alone owns its index, ring and watchers.
 */
@NullMarked
package io.baton.serving;

import org.jspecify.annotations.NullMarked;
