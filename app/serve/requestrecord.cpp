// SPDX-License-Identifier: MIT
#include "app/serve/requestrecord.h"

#include "app/serve/routes.h"
#include "engine/core/logging.h"

namespace isol8::serve {

RequestRecord::RequestRecord(
    std::shared_ptr<Service> service, const http::RequestHead& head, const Route* route)
    : m_service(std::move(service))
{
    m_timer.start();
    m_service->requests.begin();
    entry.time = QDateTime::currentDateTimeUtc();
    entry.peer = head.peerAddress;
    entry.method = head.method;
    entry.path = head.path;
    if (route)
        entry.route = QByteArray(route->path.data(), route->path.size());
}

RequestRecord::~RequestRecord()
{
    entry.duration
        = std::chrono::duration_cast<std::chrono::microseconds>(m_timer.durationElapsed());
    m_service->metrics.noteRequest(entry.method, entry.route, entry.status, entry.duration);
    m_service->accessLog.write(entry);
    qCDebug(logServe) << entry.method << (entry.route.isEmpty() ? QByteArray("-") : entry.route)
                      << entry.status << entry.duration.count() / 1000 << "ms";
    m_service->requests.end();
}

} // namespace isol8::serve
