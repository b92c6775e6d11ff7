// SPDX-License-Identifier: MIT
#include "ui/mainwindow/runbar.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {
constexpr int automatic = -1;
}

QString runtimeTitle(Runtime runtime)
{
    switch (runtime) {
    case Runtime::Python:
        return u"Python"_s;
    case Runtime::Node:
        return u"Node.js"_s;
    case Runtime::Bun:
        return u"Bun"_s;
    case Runtime::Deno:
        return u"Deno"_s;
    case Runtime::Bash:
        return u"Bash"_s;
    case Runtime::Agent:
        return RunBar::tr("Agent");
    }
    return {};
}

RunBar::RunBar(QWidget* parent)
    : QWidget(parent)
    , m_runtime(new QComboBox(this))
    , m_target(new QComboBox(this))
{
    m_runtime->setObjectName(u"runtimeChoice"_s);
    m_runtime->setAccessibleName(tr("Runtime"));
    m_runtime->setToolTip(tr("What the text is run with"));
    m_runtime->addItem(tr("Automatic"), automatic);
    for (const auto runtime :
        { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash })
        m_runtime->addItem(runtimeTitle(runtime), int(runtime));
    m_runtime->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_target->setObjectName(u"targetChoice"_s);
    m_target->setAccessibleName(tr("Target"));
    m_target->setToolTip(tr("Where it is run"));
    m_target->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(6, 0, 6, 0);
    row->addWidget(m_runtime);
    row->addWidget(new QLabel(tr("on"), this));
    row->addWidget(m_target);
    connect(m_runtime, &QComboBox::currentIndexChanged, this,
        [this] { Q_EMIT runtimeChosen(runtime()); });
    connect(m_target, &QComboBox::currentIndexChanged, this,
        [this] { Q_EMIT targetChosen(m_target->currentData().toString()); });
}

std::optional<Runtime> RunBar::runtime() const
{
    const int chosen = m_runtime->currentData().toInt();
    return chosen == automatic ? std::nullopt : std::optional(Runtime(chosen));
}

void RunBar::setRuntime(std::optional<Runtime> runtime)
{
    const QSignalBlocker blocker(m_runtime);
    m_runtime->setCurrentIndex(m_runtime->findData(runtime ? int(*runtime) : automatic));
}

void RunBar::setDetected(std::optional<Runtime> runtime)
{
    const auto text = runtime ? tr("Automatic (%1)").arg(runtimeTitle(*runtime)) : tr("Automatic");
    if (text != m_runtime->itemText(0)) // Else every key would lay the toolbar out anew.
        m_runtime->setItemText(0, text);
}

void RunBar::setTargets(const QList<Target>& targets, const QString& currentId)
{
    const QSignalBlocker blocker(m_target);
    m_target->clear();
    for (const auto& target : targets)
        m_target->addItem(target.name, target.id);
    m_target->setCurrentIndex(std::max(0, m_target->findData(currentId)));
}

void RunBar::setTargetEnabled(bool isEnabled)
{
    m_target->setEnabled(isEnabled);
}

} // namespace isol8::ui
