// SPDX-License-Identifier: MIT
#pragma once

#include "ui/files/sessionplace.h"

#include <QObject>
#include <QTemporaryDir>

#include <memory>

class QWidget;

namespace isol8::ui {

class TransferQueue;

/// Files of a session that are dragged out of the window: fetched into a folder for the time being,
/// then handed to the desktop, if the button is still held by then.
class FileDrag : public QObject {
    Q_OBJECT

public:
    struct Item {
        QString path;
        bool isFolder = false;
        qint64 sizeBytes = 0;
    };

    explicit FileDrag(QWidget* source);

    void begin(const SessionPlace& place, const QList<Item>& items);

Q_SIGNALS:
    void failed(const QString& sentence);

private:
    void handOver();

    QWidget* m_source;
    TransferQueue* m_transfers;
    std::unique_ptr<QTemporaryDir>
        m_folder; ///< Until the next drag: whoever took them may be slow.
};

} // namespace isol8::ui
