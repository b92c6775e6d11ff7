// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <QTableWidget>

namespace isol8::ui {

/// What a run asked of the network, and what the filter said.
class NetworkLogView : public QTableWidget {
    Q_OBJECT

public:
    explicit NetworkLogView(QWidget* parent);

    void setEntries(const QList<NetworkLogEntry>& entries);
};

} // namespace isol8::ui
