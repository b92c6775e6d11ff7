// SPDX-License-Identifier: MIT
#include "app/serve/poolmetrics.h"

namespace isol8::serve {

namespace {

struct Entry {
    const char* name;
    const char* help;
    double (*value)(const PoolFigures&);
};

constexpr Entry gauges[] = {
    { "isol8_pool_unused", "Sandboxes that are ready and were never used.",
        [](const PoolFigures& pool) { return double(pool.unused); } },
    { "isol8_pool_used", "Sandboxes that are ready again after a run.",
        [](const PoolFigures& pool) { return double(pool.used); } },
    { "isol8_pool_cleaning", "Sandboxes that are being cleaned.",
        [](const PoolFigures& pool) { return double(pool.cleaning); } },
    { "isol8_pool_making", "Sandboxes that are being made.",
        [](const PoolFigures& pool) { return double(pool.making); } },
    { "isol8_pool_taken", "Sandboxes of the pool that are in use.",
        [](const PoolFigures& pool) { return double(pool.taken); } },
    { "isol8_pool_waiting", "Executions that wait for a sandbox.",
        [](const PoolFigures& pool) { return double(pool.waiting); } },
    { "isol8_pool_memory_bytes", "Memory of the sandboxes that are ready, where it is known.",
        [](const PoolFigures& pool) { return double(pool.memoryBytes); } },
};

constexpr Entry counters[] = {
    { "isol8_pool_hits_total", "Executions that found a sandbox ready.",
        [](const PoolFigures& pool) { return double(pool.hits); } },
    { "isol8_pool_waits_total", "Executions that had to wait for a sandbox.",
        [](const PoolFigures& pool) { return double(pool.waits); } },
    { "isol8_pool_ahead_total", "Executions whose interpreter had been started before they came.",
        [](const PoolFigures& pool) { return double(pool.ahead); } },
    { "isol8_pool_made_total", "Sandboxes that were made.",
        [](const PoolFigures& pool) { return double(pool.made); } },
    { "isol8_pool_cleaned_total", "Sandboxes that were cleaned and proved clean.",
        [](const PoolFigures& pool) { return double(pool.cleaned); } },
    { "isol8_pool_discarded_total", "Sandboxes that were removed.",
        [](const PoolFigures& pool) { return double(pool.discarded); } },
    { "isol8_pool_failures_total", "Sandboxes that could not be made or cleaned.",
        [](const PoolFigures& pool) { return double(pool.failures); } },
};

} // namespace

void addPoolMetrics(Metrics& metrics, const std::function<std::optional<PoolFigures>()>& read)
{
    if (!read())
        return;
    const auto reader = [read](double (*value)(const PoolFigures&)) {
        return [read, value] { return value(read().value_or(PoolFigures())); };
    };
    for (const auto& entry : gauges)
        metrics.addGauge(entry.name, entry.help, reader(entry.value));
    for (const auto& entry : counters)
        metrics.addCounter(entry.name, entry.help, reader(entry.value));
}

} // namespace isol8::serve
