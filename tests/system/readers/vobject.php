<?php
// sabre/vobject, as Nextcloud and Baikal have it: reads FOLDER/*.ics, validates them, prints what each says as JSON.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);  // it was written for PHP 5
require_once 'Sabre/VObject/autoload.php';

$found = array();
foreach (glob($argv[1] . '/*.ics') as $path) {
    $file = basename($path);
    $calendar = \Sabre\VObject\Reader::read(file_get_contents($path));
    foreach ($calendar->validate() as $complaint) {
        fwrite(STDERR, "$file: {$complaint['message']}\n");
        exit(1);
    }
    if (count($calendar->select('VEVENT')) !== 1) {
        fwrite(STDERR, "$file: not one event\n");
        exit(1);
    }
    $event = $calendar->VEVENT;
    $moment = function ($property) {
        $time = $property->getDateTime();
        if (!$property->hasTime()) {
            return $time->format('Y-m-d');
        }
        return $time->setTimezone(new \DateTimeZone('UTC'))->format('Y-m-d\TH:i:s\Z');
    };
    $text = function ($property) {  // version 2 leaves these two escaped, in what it reads itself too
        return strtr((string)$property, array('\\,' => ',', '\\;' => ';'));
    };
    $found[$file] = array(
        'uid' => (string)$event->UID,
        'summary' => $text($event->SUMMARY),
        'description' => $text($event->DESCRIPTION),
        'start' => $moment($event->DTSTART),
        'end' => $moment($event->DTEND),
        'alarms' => count($event->select('VALARM')),
    );
}
echo json_encode($found);
