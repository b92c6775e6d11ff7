// SPDX-License-Identifier: MIT
#include "ui/images/imageservice.h"

#include "engine/core/names.h"
#include "engine/docker/client.h"
#include "engine/images/imagebuilder.h"
#include "engine/images/imagelabels.h"
#include "engine/images/imagename.h"

#include <QCoroTask>
#include <QPointer>

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

/// Every runtime's own image, built or not, then the others of ours.
QList<ImageRow> rowsOf(const QList<docker::ImageDetails>& images)
{
    QList<ImageRow> rows;
    for (const auto runtime :
        { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash })
        rows << ImageRow { .tag = baseImageTag(runtime), .runtime = runtime };
    for (const auto& image : images) {
        const auto tag = image.labels.value(imagelabels::tag);
        if (tag.isEmpty() || tag == sharedBaseTag()
            || !(image.tags.contains(tag) || image.tags.contains(tag + u":latest"_s)))
            continue;
        auto found = std::ranges::find(rows, tag, &ImageRow::tag);
        if (found == rows.end()) {
            rows << ImageRow { .tag = tag };
            found = std::prev(rows.end());
        }
        found->isBuilt = true;
        found->sizeBytes = image.sizeBytes;
        found->created = image.created;
        found->packages
            = image.labels.value(imagelabels::dependencies).split(u' ', Qt::SkipEmptyParts);
    }
    return rows;
}

} // namespace

ImageService::ImageService(
    std::shared_ptr<docker::Client> client, ImageSettings settings, QObject* parent)
    : QObject(parent)
    , m_client(std::move(client))
    , m_builder(std::make_shared<ImageBuilder>(m_client, std::move(settings)))
{
}

ImageService::~ImageService()
{
    m_cancel.cancel();
}

void ImageService::list()
{
    QCoro::connect(m_client->listImages({ imagelabels::managed }), this,
        [this, client = m_client](const Result<QList<docker::ImageDetails>>& images) {
            if (images)
                Q_EMIT listed(rowsOf(*images));
            else
                Q_EMIT failed(images.error());
        });
}

void ImageService::build(Runtime runtime, Rebuild rebuild)
{
    m_wanted.push_back({ runtime, rebuild });
    if (!m_isBuilding)
        next();
}

void ImageService::next()
{
    m_isBuilding = !m_wanted.empty();
    if (!m_isBuilding) {
        Q_EMIT finished();
        return;
    }
    const auto wanted = m_wanted.front();
    m_wanted.pop_front();
    const auto tag = baseImageTag(wanted.runtime);
    Q_EMIT progressed({ ImageEvent::Kind::Step, tag });
    const auto tell = [self = QPointer(this)](const ImageEvent& event) {
        if (self)
            Q_EMIT self->progressed(event);
    };
    QCoro::connect(m_builder->buildBase(wanted.runtime, wanted.rebuild, tell, m_cancel), this,
        [this, tag, builder = m_builder](const Result<bool>& result) {
            if (result)
                Q_EMIT built(tag);
            else
                Q_EMIT failed(result.error().kind == Kind::Cancelled ? result.error()
                                                                     : result.error().within(tag));
            if (!result)
                m_wanted.clear();
            list();
            next();
        });
}

void ImageService::remove(const QString& tag)
{
    QCoro::connect(
        m_client->removeImage(tag), this, [this, client = m_client](const Result<>& result) {
            if (!result)
                Q_EMIT failed(result.error());
            list();
        });
}

void ImageService::cancel()
{
    m_wanted.clear();
    m_cancel.cancel();
    m_cancel = {};
}

} // namespace isol8::ui
