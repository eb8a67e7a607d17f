// ical.js, as Thunderbird has it: reads FOLDER/*.ics strictly, prints what each says as JSON.
import fs from "node:fs";
import ICAL from "ical.js";

ICAL.design.strict = true;
const folder = process.argv[2];
const found = {};
for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".ics"))) {
    const calendar = new ICAL.Component(ICAL.parse(fs.readFileSync(`${folder}/${file}`, "utf8")));
    for (const zone of calendar.getAllSubcomponents("vtimezone")) {
        ICAL.TimezoneService.register(zone);
    }
    const [component, ...others] = calendar.getAllSubcomponents("vevent");
    if (others.length) throw new Error(`${file}: more than one event`);
    const event = new ICAL.Event(component, { strictExceptions: true });
    const text = (time) => (time.isDate ? time : time.convertToZone(ICAL.Timezone.utcTimezone)).toString();
    const alarms = component.getAllSubcomponents("valarm");
    for (const alarm of alarms) {
        if (!alarm.getFirstPropertyValue("trigger")) throw new Error(`${file}: an alarm without a trigger`);
    }
    found[file] = {
        uid: event.uid,
        summary: event.summary,
        description: event.description ?? "",
        start: text(event.startDate),
        end: text(event.endDate),
        alarms: alarms.length,
    };
}
process.stdout.write(JSON.stringify(found));
