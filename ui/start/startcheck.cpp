// SPDX-License-Identifier: MIT
#include "ui/start/startcheck.h"

#include "engine/core/names.h"
#include "engine/docker/client.h"
#include "engine/images/imagelabels.h"
#include "engine/images/imagename.h"
#include "ui/run/runsentences.h"
#include "ui/start/startpage.h"
#include "ui/targets/connection.h"

#include <QCoroTask>

#include <algorithm>

namespace isol8::ui {

namespace {

bool hasRuntimeImage(const QList<docker::ImageDetails>& images)
{
    return std::ranges::any_of(allRuntimes(), [&images](Runtime runtime) {
        return std::ranges::any_of(images,
            [tag = baseImageTag(runtime)](const auto& image) { return image.tags.contains(tag); });
    });
}

} // namespace

DockerClientFactory realDockerClients()
{
    return []() -> std::shared_ptr<docker::Client> {
        auto endpoint = docker::resolveEndpoint();
        return endpoint ? std::make_shared<docker::Client>(std::move(*endpoint)) : nullptr;
    };
}

StartCheck::StartCheck(
    Connection* connection, StartPage* page, DockerClientFactory clients, QObject* parent)
    : QObject(parent)
    , m_connection(connection)
    , m_page(page)
    , m_clients(std::move(clients))
{
    connect(connection, &Connection::healthChanged, this, &StartCheck::handleHealth);
    connect(page, &StartPage::checkRequested, connection, &Connection::check);
}

void StartCheck::handleHealth()
{
    if (!m_connection->target().isLocal()) {
        m_page->setProblem(StartPage::Problem::None);
        return;
    }
    if (m_connection->health() == Connection::Health::Bad)
        m_page->setProblem(
            StartPage::problemOf(m_connection->error()), failureSentence(m_connection->error()));
    else if (m_connection->health() == Connection::Health::Good)
        checkImages();
}

void StartCheck::checkImages()
{
    const auto client = m_clients ? m_clients() : nullptr;
    if (!client) {
        m_page->setProblem(StartPage::Problem::None);
        return;
    }
    QCoro::connect(client->listImages({ imagelabels::managed }), this,
        [this, client](const Result<QList<docker::ImageDetails>>& images) {
            if (images && m_connection->target().isLocal()
                && m_connection->health() == Connection::Health::Good)
                m_page->setProblem(hasRuntimeImage(*images) ? StartPage::Problem::None
                                                            : StartPage::Problem::NoImages);
        });
}

} // namespace isol8::ui
