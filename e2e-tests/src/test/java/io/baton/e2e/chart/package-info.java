/**
 * The Helm chart: {@link io.baton.e2e.chart.HelmChart} renders it with Helm's own engine and
 * {@link io.baton.e2e.chart.KubernetesSchemas} knows what a cluster accepts. Everything runs on the test's thread.
 */
@NullMarked
package io.baton.e2e.chart;

import org.jspecify.annotations.NullMarked;
