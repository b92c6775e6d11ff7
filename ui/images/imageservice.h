// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"
#include "engine/core/task.h"
#include "engine/docker/types.h"
#include "engine/images/imagetypes.h"

#include <QObject>

#include <deque>
#include <memory>
#include <optional>

namespace isol8 {
class ImageBuilder;
namespace docker {
class Client;
}
} // namespace isol8

namespace isol8::ui {

/// One image that runs can use, or a runtime that has none yet.
struct ImageRow {
    QString tag;
    std::optional<Runtime> runtime {}; ///< Of a runtime's own image.
    bool isBuilt = false;
    qint64 sizeBytes = 0;
    QDateTime created {};
    QStringList packages {};
};

/// The images of this computer's Docker: what is there, and building one after the other. Owned by
/// the dialog.
class ImageService : public QObject {
    Q_OBJECT

public:
    ImageService(std::shared_ptr<docker::Client> client, ImageSettings settings, QObject* parent);
    ~ImageService() override;

    void list();
    /// Queued behind what is being built.
    void build(Runtime runtime, Rebuild rebuild);
    void remove(const QString& tag);
    void cancel();
    [[nodiscard]] bool isBusy() const { return m_isBuilding; }

Q_SIGNALS:
    void listed(const QList<isol8::ui::ImageRow>& rows);
    void progressed(const isol8::ImageEvent& event);
    void built(const QString& tag);
    void failed(const isol8::Error& error);
    void finished(); ///< Nothing is being built any more.

private:
    struct Wanted {
        Runtime runtime;
        Rebuild rebuild;
    };

    void next();

    std::shared_ptr<docker::Client> m_client;
    std::shared_ptr<ImageBuilder> m_builder;
    CancelToken m_cancel;
    std::deque<Wanted> m_wanted;
    bool m_isBuilding = false;
};

} // namespace isol8::ui
