#!/usr/bin/perl
# Stands where powershell.exe would: passes its arguments, its input and its output to the test that acts as Windows.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;

my $port = (split / /, $ENV{SSH_CONNECTION})[3];
my $test = IO::Socket::UNIX->new(Peer => $ENV{JACKDAW_WINDOWS}) or exit 1;
syswrite $test, join("\t", $port, @ARGV) . "\n";
my $both = IO::Select->new($test, \*STDIN);
while (1) {
    for my $from ($both->can_read) {
        my $got = sysread $from, my $bytes, 65536;
        # Whichever ends first ends both, as a killed process would.
        exit 0 if !$got;
        my $to = $from == $test ? \*STDOUT : $test;
        while (length $bytes) {
            my $put = syswrite $to, $bytes;
            exit 0 if !defined $put;
            substr($bytes, 0, $put) = '';
        }
    }
}
