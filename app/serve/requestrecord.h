// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/accesslog.h"
#include "app/serve/service.h"
#include "engine/http/requesthead.h"

#include <QElapsedTimer>

namespace isol8::serve {

struct Route;

/// One request that is being served, for the metrics, the access log and the end of the server.
/// Filled in by whoever serves it, and noted when the last of them lets go of it.
class RequestRecord {
public:
    /// @p route: null for none.
    RequestRecord(
        std::shared_ptr<Service> service, const http::RequestHead& head, const Route* route);
    ~RequestRecord();
    Q_DISABLE_COPY_MOVE(RequestRecord)

    AccessEntry entry;

private:
    std::shared_ptr<Service> m_service;
    QElapsedTimer m_timer;
};

} // namespace isol8::serve
