// SPDX-License-Identifier: MIT
#include "ui/files/filedrag.h"

#include "ui/files/transferqueue.h"
#include "ui/run/runsentences.h"

#include <QDir>
#include <QDrag>
#include <QGuiApplication>
#include <QMimeData>
#include <QUrl>
#include <QWidget>

namespace isol8::ui {

namespace {
/// More takes longer than anybody holds a mouse button.
constexpr qint64 maxDraggedBytes = 32LL << 20;
} // namespace

FileDrag::FileDrag(QWidget* source)
    : QObject(source)
    , m_source(source)
    , m_transfers(new TransferQueue(this))
{
    connect(m_transfers, &TransferQueue::failed, this, &FileDrag::failed);
    connect(m_transfers, &TransferQueue::finished, this, &FileDrag::handOver);
}

void FileDrag::begin(const SessionPlace& place, const QList<Item>& items)
{
    qint64 total = 0;
    for (const auto& item : items)
        total += item.sizeBytes;
    if (total > maxDraggedBytes) {
        Q_EMIT failed(tr("%1 are too much to be dragged: use Download").arg(bytesText(total)));
        return;
    }
    if (m_transfers->isBusy())
        return;
    m_folder = std::make_unique<QTemporaryDir>();
    for (const auto& item : items)
        m_transfers->download(place, item.path, item.isFolder, m_folder->path());
}

void FileDrag::handOver()
{
    if (!(QGuiApplication::mouseButtons() & Qt::LeftButton))
        return;
    QList<QUrl> urls;
    const QDir folder(m_folder->path());
    for (const auto& name :
        folder.entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot))
        urls << QUrl::fromLocalFile(folder.filePath(name));
    if (urls.isEmpty())
        return;
    auto* data = new QMimeData;
    data->setUrls(urls);
    auto* drag = new QDrag(m_source); // Qt deletes it, and it its data.
    drag->setMimeData(data);
    drag->exec(Qt::CopyAction);
}

} // namespace isol8::ui
